// Addresses of files.

import { failure } from './errors.mjs';

export class Address {
  /** What is asked for, without user name, password and fragment; not to be shown. */
  href;
  /** What may be shown: without the query, which can be a signature. */
  shown;
  #login;
  #origin;

  /** Throws a TypeError for what is no address, and `remote.address` for one that is not of HTTP. */
  constructor(given) {
    const url = new URL(given, globalThis.location?.href);
    const { username, password } = url;
    Object.assign(url, { username: '', password: '', hash: '' });
    this.href = url.href;
    this.shown = url.href.replace(/\?.*/s, '?…');
    if (!/^https?:$/.test(url.protocol)) {
      throw failure('remote.address', { found: this.shown, cause: 'only http and https addresses can be read' });
    }
    this.#origin = url.origin;
    if (username || password) {
      const login = new TextEncoder().encode(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
      this.#login = `Basic ${btoa(String.fromCharCode(...login))}`;
    }
  }

  /** The header `Authorization` for a request to `place`, where the file is by now: another server gets none. */
  loginFor(place) {
    return new URL(place).origin === this.#origin ? this.#login : undefined;
  }

  /** The index beside the file. An address with a query may be signed for the file alone. */
  beside() {
    if (this.href.includes('?')) return undefined;
    const beside = new Address(`${this.href}.idx`);
    beside.#login = this.#login;
    return beside;
  }
}
