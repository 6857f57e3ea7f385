// Objects whose memory in the module was given back: another call is an error of the program, and says so.

/** Has every method of these classes throw a TypeError after free(), a second free() too. */
export function guardFreed(classes) {
  for (const [name, { prototype }] of Object.entries(classes)) {
    for (const [key, property] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
      if (key === 'constructor' || key.startsWith('__')) continue;
      for (const part of ['value', 'get']) {
        const call = property[part];
        if (typeof call !== 'function') continue;
        property[part] = function (...values) {
          // The module's objects keep their address there; 0 after free().
          if (this.__wbg_ptr === 0) throw new TypeError(`${name}.${key}: free() was called before`);
          return call.apply(this, values);
        };
      }
      Object.defineProperty(prototype, key, property);
    }
    // What is disposed of twice is disposed of.
    if (Symbol.dispose) {
      prototype[Symbol.dispose] = function () {
        if (this.__wbg_ptr !== 0) this.free();
      };
    }
  }
}
