// A small database of this browser (IndexedDB). A browser that refuses it, as in private windows, keeps nothing: whoever
// asks gets undefined, and the page goes on.

const NAME = 'rollsnap';
const STORE = 'reports';
const WAIT_MS = 3000;

let opening;

function open() {
  opening ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: 'id' });
    request.onsuccess = () => {
      // Another tab that wants a newer form must not wait for this one.
      request.result.onversionchange = () => {
        request.result.close();
        opening = undefined;
      };
      resolve(request.result);
    };
    request.onerror = () => reject(request.error);
    // Neither answer comes while another tab holds an older form.
    setTimeout(() => reject(new Error('the database does not open')), WAIT_MS);
  });
  return opening;
}

/** Does `work(store)` in a transaction; the value of the request that it gives, or undefined where nothing can be kept. */
export async function inStore(mode, work) {
  try {
    const database = await open();
    const transaction = database.transaction(STORE, mode);
    return await new Promise((resolve, reject) => {
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  } catch {
    opening = undefined;
    return undefined;
  }
}
