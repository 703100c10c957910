import js from '@eslint/js';
import globals from 'globals';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const unusedVars = ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }];

export default defineConfig(
  globalIgnores(['target/', 'pkg/wasm/', '**/dist/', '**/.wrangler/', '**/.venv/', '**/fixtures/', 'fuzz/']),
  js.configs.recommended,
  {
    rules: {
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'max-lines': ['error', 400],
      'no-console': 'off',
      'no-unused-vars': unusedVars,
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ['**/*.{ts,tsx}'],
    extends: [tseslint.configs.recommended],
    rules: { '@typescript-eslint/no-unused-vars': unusedVars },
  },
  // The package runs everywhere, so it may use only what browsers, workers and Node share, and asks before more.
  { files: ['pkg/**'], languageOptions: { globals: { ...globals['shared-node-browser'], ...globals.browser } } },
  { files: ['src/wasm/**'], languageOptions: { globals: globals['shared-node-browser'] } },
  { files: ['pkg/test/**'], languageOptions: { globals: globals.node } },
  { files: ['www/**'], languageOptions: { globals: globals.browser } },
  { files: ['worker/**'], languageOptions: { globals: globals.serviceworker } },
  {
    files: ['scripts/**', 'tools/**', 'tests/**', 'benches/**', '*.config.js', '**/*.config.{js,mjs,ts}'],
    // Browser globals too: functions handed to a page are written in these files.
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
);
