// What the workers load later, those of the build with every dialect apart; the package ships it as the one file
// dist/worker-later.js.

export * from './later.js';
export * as restGlue from '../wasm/tidegate-rest.js';
