// Foreign text, made fit to be seen: the rule of rollsnap's core (`core/src/shown.rs`), for a page. What would turn the
// direction of a text, or show nothing at all, is shown as what it is.

// Line breaks and tabs stay: a page decides by itself where lines break.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** The text with every character that is not seen written as `\u{202e}`. */
export const shown = (text) =>
  text.replace(UNSEEN, (char) => (char === '\n' || char === '\t' ? char : `\\u{${char.codePointAt(0).toString(16)}}`));
