export const config = {
  targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
  providers: { groq: { baseUrl: new URLSearchParams(location.search).get('groq') } },
  cache: { ttlMs: 0 },
  retry: { maxRetries: 0 },
};
