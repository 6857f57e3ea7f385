// What the file loader of the bundler gives.
declare module '*.wasm' {
  const address: string;
  export default address;
}
