// What the workers of all builds load later; the package ships it as the one file dist/worker-later.js.

export * from './later.js';
export * as restGlue from '../wasm/tidegate-rest.js';
