// What the worker of the build with every dialect loads later; the package ships it as the one file
// dist/worker-dialects-later.js.

export * from './later.js';
export * as restGlue from '../wasm/tidegate-dialects-rest.js';
