// The server of a file: requests to it, and when one is made again.

import { pauseAfter } from './load.mjs';
import { Exchange, reasonOf } from './request.mjs';

/** How long a server may bring nothing, in milliseconds. */
const GIVE_UP = 120_000;

/** How often an answer that is not what was asked for is taken for a slip, one after the other. */
const SLIPS = 3;

/** How often the given address is asked again for where the file is by now. */
const MOST_RENEWALS = 20;

export class Server {
  /** Which response headers would be needed, and do not come. */
  lacks = [];
  #place;
  #renewals = 0;
  #request;
  #giveUp;
  #onNotice;
  #served;

  /** `served`: whether this page has read something of the same server before. */
  constructor(address, { request, giveUp = GIVE_UP, onNotice, served = false, tally }) {
    this.tally = tally ?? { bytes_received: 0, requests: 0, retries: 0 };
    this.address = address;
    this.#served = served;
    this.#place = address.href;
    this.#request = request;
    this.#giveUp = giveUp;
    this.#onNotice = onNotice;
  }

  /** Where redirects led to, as it may be shown. */
  get shown() {
    return this.#place.replace(/[?#].*/s, (rest) => (rest.startsWith('?') ? '?…' : ''));
  }

  /** What the server of the file beside this one is opened with. What comes of it counts here. */
  get options() {
    return { request: this.#request, giveUp: this.#giveUp, served: true, tally: this.tally };
  }

  /** Makes one request: for the bytes of `range`, or for the whole. */
  async ask(range, { method, served = this.#served, signal } = {}) {
    const options = { method, range, request: this.#request, served, signal, tally: this.tally };
    const exchange = await Exchange.begin(this.address, this.#place, options);
    if (exchange.response.ok && exchange.response.url) this.#place = exchange.response.url;
    return exchange;
  }

  /** Reads the next piece of an answer, and counts it. */
  async read(exchange) {
    const piece = await exchange.read();
    this.tally.bytes_received += piece?.length ?? 0;
    return piece;
  }

  /** Says once what the server leaves out. */
  lack(header, what) {
    this.lacks.push(header);
    this.#onNotice?.(`${what}: its answer lacks ${header}`, 'lacking');
  }

  /**
   * Tries until it goes well, before anything came. One that cannot be reached or forbids access is asked `most` times;
   * one that is busy as long as it may bring nothing.
   */
  async insist(work, most, signal) {
    const begun = performance.now();
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        signal?.throwIfAborted();
        const { passing = false, status, retryAfter } = reasonOf(error) ?? {};
        const isUnsure = status === 403 || (status === undefined && passing);
        const pause = pauseAfter(tries, retryAfter);
        const isInTime = performance.now() - begun + pause < this.#giveUp;
        const again = isUnsure ? tries < most : passing && most > 1;
        if (!again || !isInTime) throw error;
        await this.#wait(error, pause, signal);
      }
    }
  }

  /**
   * Waits before a request is made again, after so many that brought nothing, in `dry` milliseconds. Throws the error
   * where there is no use in another one.
   */
  async recover(error, { tries, dry, signal }) {
    const { passing = false, status, retryAfter } = reasonOf(error) ?? {};
    const isSlip = error?.code === 'remote.answer' && tries < SLIPS;
    const isRenewed = this.#renew(status);
    if (!passing && !isSlip && !isRenewed) throw error;
    const pause = pauseAfter(tries, retryAfter);
    if (dry + pause > this.#giveUp) throw error;
    await this.#wait(error, pause, signal);
  }

  async #wait(error, pause, signal) {
    this.tally.retries += 1;
    if (pause > 0) this.#onNotice?.(`${error.message}; trying again`, 'retrying');
    // Those that failed together do not come back together.
    await sleep(pause * (0.75 + Math.random() / 2), signal);
  }

  /** Asks the given address again where the file is: one that a redirect gave may hold for a while only. */
  #renew(status) {
    const isMoved = [401, 403, 404, 410].includes(status) && this.#place !== this.address.href;
    if (!isMoved || this.#renewals >= MOST_RENEWALS) return false;
    this.#renewals += 1;
    this.#place = this.address.href;
    return true;
  }
}

function sleep(time, signal) {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, time);
    signal?.addEventListener('abort', stop, { once: true });
  });
}
