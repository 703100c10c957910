// The seeded script as a Worker: GET /SEED/REQUESTS.
import { initSync, simulate } from '../../target/wasm-testing/testing.js';
import module from '../../target/wasm-testing/testing_bg.wasm';

initSync({ module });

export default {
  fetch(request) {
    const [seed, requests] = new URL(request.url).pathname.slice(1).split('/').map(Number);
    return new Response(simulate(seed, requests));
  },
};
