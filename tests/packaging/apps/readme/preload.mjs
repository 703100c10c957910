// What an example of the README meets where it is pasted: a person who answers prompts, a key, and providers at their
// own addresses. Nothing of this is the package's; the addresses lead to a stand-in on this machine.

const { STAND_IN } = process.env;
const real = globalThis.fetch;
const SAMPLE_KEYS = {
  groq: `gsk_${'A1b2'.repeat(13)}`,
  openai: `sk-proj-${'a1B2'.repeat(18)}a1T3BlbkFJ${'a1B2'.repeat(18)}a1`,
};

globalThis.prompt = (question) => {
  if (!/key/iu.test(question)) return 'correct horse battery staple';
  return /openai/iu.test(question) ? SAMPLE_KEYS.openai : SAMPLE_KEYS.groq;
};
globalThis.fetch = (input, init) => {
  const { hostname } = new URL(input instanceof Request ? input.url : input);
  const provider = /(groq|openai|openrouter)\.(?:com|ai)$/u.exec(hostname)?.[1];
  // An example that asks anything else of the network is not one that works when pasted.
  if (!provider) return Promise.reject(new Error(`the example fetched from ${hostname}`));
  return real(`${STAND_IN}/${provider}`, {
    method: 'POST',
    headers: init?.headers ?? input.headers,
    body: init?.body ?? input.body,
    duplex: 'half',
    signal: init?.signal ?? input.signal,
  });
};
