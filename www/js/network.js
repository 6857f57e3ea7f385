// What requests to other hosts have in common: they tell nothing of the visitor, and a browser
// says nothing about why one failed.

/** No cookie, no hint where the visitor came from, nothing kept. */
export const PRIVATE = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' };

/**
 * Whether browsers keep a page at `page` from asking `address`: a page that came by https may ask
 * no http address but those of its own computer.
 */
export function isMixed(page, address) {
  const { protocol, hostname } = new URL(address);
  return new URL(page).protocol === 'https:' && protocol === 'http:' && !isLoopback(hostname);
}

const isLoopback = (hostname) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/** Whether anybody answers at `address`; what the answer says stays hidden. */
export async function isThere(address, { method = 'HEAD', signal } = {}) {
  const enough = new AbortController();
  const signals = signal ? [signal, enough.signal] : [enough.signal];
  try {
    await fetch(address, { ...PRIVATE, mode: 'no-cors', method, signal: AbortSignal.any(signals) });
    return true;
  } catch {
    return false;
  } finally {
    enough.abort();
  }
}
