// What the page shows of foreign text.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { shown } from '../../www/js/shown.js';
import { ROOT } from './support.mjs';

test('what is not seen is shown', () => {
  assert.equal(
    shown('a\u001b[2J\u202eb\u2066c\u200bd\u2028e\u009bf\u{e0041}g\ufe0fh\u3164i'),
    'a\\u{1b}[2J\\u{202e}b\\u{2066}c\\u{200b}d\\u{2028}e\\u{9b}f\\u{e0041}g\\u{fe0f}h\\u{3164}i',
  );
  assert.equal(shown('\r'), '\\u{d}');
});

test('what is seen stays', () => {
  for (const text of ['', 'store.sqlite', 'two\nlines\tand a tab', 'é e\u0301 日本語 שלום 🦀 … ×', 'a\\b "c"'])
    assert.equal(shown(text), text);
});

test('the page says nothing itself that would be taken for foreign', () => {
  const directory = join(ROOT, 'www/js');
  for (const name of readdirSync(directory, { recursive: true }).filter((path) => path.endsWith('.js'))) {
    const text = readFileSync(join(directory, name), 'utf8');
    assert.equal(shown(text), text, name);
  }
});
