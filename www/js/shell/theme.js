// Dark and light: what the system says, unless the visitor says otherwise.

import { $ } from '../dom.js';

const WORDS = { auto: 'Automatic', light: 'Light', dark: 'Dark' };
const KEY = 'rollsnap.theme';

export function followTheme() {
  const modes = Object.keys(WORDS);
  let mode = stored();
  const apply = () => {
    if (mode === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = mode;
    $('theme-word').textContent = WORDS[mode];
    $('theme').setAttribute('aria-label', `Colours: ${WORDS[mode].toLowerCase()}`);
  };
  $('theme').addEventListener('click', () => {
    mode = modes[(modes.indexOf(mode) + 1) % modes.length];
    try {
      localStorage.setItem(KEY, mode);
    } catch {
      // A browser that stores nothing forgets the choice; that is its owner's wish.
    }
    apply();
  });
  apply();
}

function stored() {
  try {
    const mode = localStorage.getItem(KEY);
    return mode in WORDS ? mode : 'auto';
  } catch {
    return 'auto';
  }
}
