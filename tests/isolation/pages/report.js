// Runs the cases of a page by name and shows what each came to, so that any browser can be asked: `<output>` gets the JSON.
// `unhandled` are rejections that nobody took: none may ever come out of the package.

const unhandled = [];
addEventListener('unhandledrejection', ({ reason }) => unhandled.push(String(reason?.stack ?? reason)));

export const asked = new URLSearchParams(location.search);
export const code = (work) =>
  work.then(
    () => 'ok',
    (error) => (error?.name === 'TidegateError' ? error.code : `untyped: ${error}`),
  );
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A gate for the provider of the test, with a key for the session. */
export async function openGate(config = {}) {
  const { Tidegate } = await import('/pkg/dist/web.js');
  const gate = await Tidegate.open({
    targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
    providers: { groq: { baseUrl: asked.get('provider') } },
    isolation: asked.get('isolation'),
    retry: { maxRetries: 0 },
    cache: { ttlMs: 0 },
    ...config,
  });
  await gate.vault.putForSession('groq', `gsk_${'Zq7W'.repeat(13)}`);
  return gate;
}
export const ask = (gate, content = 'hello', more = {}, signal) =>
  gate.chat({ messages: [{ role: 'user', content }], max_tokens: 8, ...more }, { ...(signal && { signal }) });

/** Runs all cases at once, or only the one that the address names. */
export async function report(cases) {
  const only = asked.get('only');
  const run = async ([name, work]) => [name, await work().catch((error) => `failed: ${error.stack}`)];
  const told = await Promise.all(
    Object.entries(cases)
      .filter(([name]) => !only || name === only)
      .map(run),
  );
  // Rejections are told a turn later.
  await pause(50);
  document.querySelector('output').textContent = JSON.stringify({ ...Object.fromEntries(told), unhandled });
}
