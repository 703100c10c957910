// What the build makes beside the sources.

declare module '*.wasm' {
  const module: WebAssembly.Module;
  export default module;
}
