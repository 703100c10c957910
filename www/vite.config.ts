import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

// Scripts and styles only of our own; connections to any provider over https, and to this machine for stand-ins.
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self' https: http://localhost:* http://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types tidegate dompurify',
].join('; ');

/** Only in the build: Vite's development server writes scripts and styles into the page. */
const contentSecurityPolicy = (): Plugin => ({
  name: 'content-security-policy',
  apply: 'build',
  transformIndexHtml: () => [
    {
      tag: 'meta',
      attrs: { 'http-equiv': 'Content-Security-Policy', content: POLICY },
      injectTo: 'head-prepend',
    },
  ],
});

export default defineConfig({
  // Relative, so that the app works under any folder of a static host.
  base: './',
  plugins: [react(), contentSecurityPolicy()],
  build: { target: 'es2022', modulePreload: { polyfill: false } },
});
