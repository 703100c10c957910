// What looks for keys in bytes: each row resolves to `scan(bytes) → number of findings` and `screen(text) → number`.
import { UNION } from './scan-union.mjs';

export const stacks = {
  /** Every rule and decoder, as `tidegate scan` uses it. */
  async tidegate() {
    const { Scanner } = await import('tidegate');
    const scanner = await Scanner.create({ key: new Uint8Array(32) });
    const scan = (input) => scanner.push(input).length + scanner.finish().length;
    return { scan, screen: scan };
  },
  /** The recommended rules; it takes texts only, and gives a report. */
  async secretlint() {
    const { lintSource } = await import('@secretlint/core');
    const { creator } = await import('@secretlint/secretlint-rule-preset-recommend');
    const id = '@secretlint/secretlint-rule-preset-recommend';
    const options = { config: { rules: [{ id, rule: creator, options: {} }] } };
    const lint = async (content) => {
      const source = { content, filePath: '/bundle.js', ext: '.js', contentType: 'text' };
      return (await lintSource({ source, options })).messages.length;
    };
    return { scan: (bytes) => lint(bytes.toString('utf8')), screen: lint };
  },
  /** One expression with an alternative for each kind: no decoding, no proof. */
  'regexp-union'() {
    const screen = (text) => text.match(UNION)?.length ?? 0;
    return { scan: (bytes) => screen(bytes.toString('utf8')), screen };
  },
};
