// Keeps the page for visits without a network. Every version has a cache of its own, filled at
// once and from the network, so that no visit mixes two versions. A new version waits until the
// visitor takes it, or until no page of the old one is open.

// `self.PAGE = {version, files}`: written by www/build, so that a changed file makes a new version.
importScripts('pkg/page.js');

const { version, files } = self.PAGE;
const PREFIX = `rollsnap ${new URL(registration.scope).pathname} `;
const CACHE = PREFIX + version;
const addresses = new Set(files.map((file) => new URL(file, registration.scope).href));

addEventListener('install', (event) => {
  const requests = [...addresses].map((url) => new Request(url, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(requests)));
});

addEventListener('activate', (event) => {
  const old = caches.keys().then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== CACHE));
  event.waitUntil(old.then((names) => Promise.all(names.map((name) => caches.delete(name)))));
});

addEventListener('message', ({ data }) => {
  if (data === 'take over') skipWaiting();
});

// Only the page's own files: whatever else is fetched is the visitor's, and is left alone.
addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  url.hash = url.search = '';
  if (event.request.method !== 'GET' || !addresses.has(url.href)) return;
  const kept = caches.open(CACHE).then((cache) => cache.match(url.href));
  event.respondWith(kept.then((response) => response ?? fetch(event.request)));
});
