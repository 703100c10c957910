// What the command line takes from others; the build bundles this one file, so that the package depends on nothing.

export { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping';
export { default as ignore } from 'ignore';
export { parse as parseToml } from 'smol-toml';
