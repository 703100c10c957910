// `gate.fetch`, whose code is loaded by its first request.

import type { GateFetch } from './types.js';

/** `late` gives the `gate.fetch` that does the work. Needs no `this`, since SDKs call it as a plain function. */
export function lateFetch(late: () => Promise<GateFetch>): GateFetch {
  let whole: GateFetch | undefined;
  const made = async () => (whole ??= await late());
  const as = (own: (whole: GateFetch) => GateFetch): GateFetch => {
    let mine: GateFetch | undefined;
    const get = async () => (mine ??= own(whole ?? (await made())));
    const fetch = async (input: RequestInfo | URL, init?: RequestInit) => (mine ?? (await get()))(input, init);
    return Object.assign(fetch, {
      result: async (response: Response) => (await get()).result(response),
      with: (more: Parameters<GateFetch['with']>[0]) => as((whole) => own(whole).with(more)),
    });
  };
  return as((whole) => whole);
}
