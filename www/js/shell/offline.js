// The service worker keeps the page for later visits without a network; the page says when it is
// there and when a newer one waits.

import { $, announce } from '../dom.js';

/** `isBusy()` tells whether something is being done that a reload would throw away. */
export async function keepOffline(isBusy) {
  const say = (text) => ($('offline').textContent = text ? ` · ${text}` : '');
  if (!('serviceWorker' in navigator)) return say('needs the network (this address is not a secure one)');
  const { serviceWorker } = navigator;
  try {
    const registration = await serviceWorker.register(new URL('../../sw.js', import.meta.url), {
      updateViaCache: 'none',
    });
    watch(registration, isBusy);
    registration.addEventListener('updatefound', () => watch(registration, isBusy));
    await serviceWorker.ready;
    say('works offline');
  } catch {
    say('needs the network');
  }
}

function watch(registration, isBusy) {
  const fresh = registration.installing ?? registration.waiting;
  const offer = () => {
    // Without a controller this is the first visit: there is no older version to replace.
    if (!registration.waiting || !navigator.serviceWorker.controller) return;
    $('update').hidden = false;
    $('update').onclick = () => {
      if (isBusy())
        return announce('The newer version is loaded when the reading has ended. Press the button again then.');
      navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
      registration.waiting.postMessage('take over');
    };
  };
  fresh?.addEventListener('statechange', offer);
  offer();
}
