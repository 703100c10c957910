// What a gate in another realm needs for anything else than plain answers, in one file.

export { remoteFetch } from './remote-fetch.js';
export { remoteStream } from './streamed.js';
export { unsent } from './unsent.js';
