import wasm from '../../pkg/wasm/tidegate-server_bg.wasm';
import {
  asked,
  Core,
  EdgeDecider,
  EntrustedKeys,
  failure,
  initSync,
  Queue,
  queuePlace,
  queueShard,
  repeated,
  sessionDay,
  withoutKeys,
} from '../../pkg/wasm/tidegate-server.js';

export {
  asked,
  Core,
  EdgeDecider,
  EntrustedKeys,
  failure,
  Queue,
  queuePlace,
  queueShard,
  repeated,
  sessionDay,
  withoutKeys,
};

/** Starts the isolate's one Wasm instance. Called inside requests: at module scope nothing random may run. */
export function load(): void {
  memory = initSync({ module: wasm }).memory;
}

let memory: WebAssembly.Memory | undefined;

/** Bytes that the Wasm has of the isolate's memory. It never gives any back. */
export const wasmBytes = (): number => memory?.buffer.byteLength ?? 0;
