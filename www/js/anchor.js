// The two ways to anchor a snapshot: a layer 1 node, and a commitment known from elsewhere.

import { $, announce } from './dom.js';
import { compare, endpointOf, search } from './layer1.js';

/**
 * Listens to both forms. `current()` is the visit, with its header and the signal that ends it;
 * `show(visit, checks)` draws what was found.
 */
export function listenToAnchors(current, show) {
  $('layer1-form').addEventListener('submit', async (event) => {
    event.preventDefault();
    const visit = current();
    const go = $('layer1-go');
    if (!visit?.look?.header || go.getAttribute('aria-disabled') === 'true') return;
    let endpoint;
    try {
      endpoint = endpointOf($('layer1').value);
    } catch (error) {
      return complain('layer1', error.message);
    }
    complain('layer1', '');
    // Disabling it would take the focus away.
    go.setAttribute('aria-disabled', 'true');
    go.textContent = 'Asking …';
    announce(`Asking ${new URL(endpoint).host}.`);
    const onProbe = (done, of) => (go.textContent = `Asking … ${done} of ${of}`);
    try {
      const check = await search(endpoint, visit.look.header, { signal: visit.stop.signal, onProbe });
      visit.anchors = { ...visit.anchors, layer1: { ...check, text: `${check.text} (asked ${new URL(endpoint).host})` } };
      if (current() === visit) show(visit, Object.values(visit.anchors));
    } catch (error) {
      if (!visit.stop.signal.aborted) throw error;
    } finally {
      go.removeAttribute('aria-disabled');
      go.textContent = 'Check on L1';
    }
  });

  $('expected-form').addEventListener('submit', (event) => {
    event.preventDefault();
    const visit = current();
    if (!visit?.look?.header) return;
    const expected = $('expected').value.trim();
    if (!/^src1[1-9A-HJ-NP-Za-km-z]{50}$/.test(expected)) return complain('expected', 'This is not a commitment: one has 54 characters and begins with src1.');
    complain('expected', '');
    visit.anchors = { ...visit.anchors, expected: compare(expected, visit.look.header) };
    show(visit, Object.values(visit.anchors));
  });
}

/** Empties what was said about another snapshot. */
export function forgetAnchors() {
  $('expected').value = '';
  for (const name of ['layer1', 'expected']) complain(name, '');
}

function complain(name, text) {
  $(`${name}-error`).textContent = text;
  $(name).setAttribute('aria-invalid', String(Boolean(text)));
  if (text) $(name).focus();
}
