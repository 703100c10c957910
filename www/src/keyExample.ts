// A text with keys in it, made up anew each time: as they stand, hidden in base64, and one that may be public.

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const random = (length: number) =>
  [...crypto.getRandomValues(new Uint8Array(length))].map((byte) => LETTERS[byte % LETTERS.length]).join('');

export const keyExample = () => `# .env.production
GROQ_API_KEY=gsk_${random(52)}
VITE_STRIPE_KEY=pk_live_51${random(97)}
BUILD_ID=${crypto.randomUUID()}

// app.js
const settings = JSON.parse(atob('${btoa(JSON.stringify({ token: `ghp_${random(36)}` }))}'));
`;
