// What an app may put in place of what a gate brings.

/** What the place the gate runs in provides, where it differs from the default. For adapters and tests. */
export interface TidegateHooks {
  // Functions do not cross realms: `fetch` and `ledger` need `isolation: 'page'`.
  /** In place of the global `fetch`. */
  fetch?: typeof fetch | undefined;
  /** Decides about money elsewhere (a Durable Object): takes a command's bytes, gives the reply's. */
  ledger?: ((command: Uint8Array) => Promise<Uint8Array>) | undefined;
  /** With `isolation: 'frame'`: the element to show the frame in, where keys are entered. Hidden without it. */
  container?: { append(...nodes: never[]): void } | undefined;
  /** Whether equal requests in flight join. Default true; false in a Worker's entry. */
  join?: boolean | undefined;
}
