/**
 * The address of a module in the package, for `init()`: what bundlers make of an import of `.wasm` that copy it beside the bundle.
 */
declare const address: string;
export default address;
