// What a page finds out about a server that it may not read. A browser says nothing about why a request failed.

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
  if (signal?.aborted) return false;
  const enough = new AbortController();
  const stop = () => enough.abort();
  signal?.addEventListener('abort', stop, { once: true });
  const untold = { credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store' };
  try {
    await fetch(address, { ...untold, mode: 'no-cors', method, signal: enough.signal });
    return true;
  } catch {
    return false;
  } finally {
    signal?.removeEventListener('abort', stop);
    enough.abort();
  }
}
