// Markdown to HTML, in a time that a hostile text cannot choose: marked looks ahead from each mark, so that a paragraph of
// nothing but marks takes it minutes.

import { Lexer, Marked, type Token } from 'marked';

/**
 * Steps that one paragraph may take, and all of them together: hostile ones take about 40 ns each. A paragraph of 5,000
 * letters with forty marks counts for 300,000, and takes far fewer.
 */
const MOST_OF_ONE = 2_000_000;
const MOST = 24_000_000;

/** About how many steps a paragraph takes: from each mark to its end, from each letter to the end of its word. */
function stepsOf(text: string): number {
  let [marks, words, length] = [0, 0, 0];
  for (let at = 0; at <= text.length; at += 1) {
    const letter = text[at] ?? ' ';
    if ('_*~[<`'.includes(letter)) marks += 1;
    if (letter !== ' ' && letter !== '\n') length += 1;
    else {
      words += length * length;
      length = 0;
    }
  }
  return words + marks * text.length;
}

/** Leaves what is in a paragraph as it is, if it would take too long. */
class Bounded extends Lexer {
  #left = MOST;

  override inlineTokens(src: string, tokens: Token[] = []): Token[] {
    const steps = stepsOf(src);
    if (steps <= Math.min(this.#left, MOST_OF_ONE)) {
      this.#left -= steps;
      return super.inlineTokens(src, tokens);
    }
    tokens.push({ type: 'text', raw: src, text: src, escaped: false });
    return tokens;
  }
}

// An instance of its own: what the app sets on the shared one has no say here.
const markdown = new Marked({
  gfm: true,
  async: false,
  renderer: { checkbox: ({ checked }) => (checked ? '☑ ' : '☐ ') },
});

/** A text as HTML. Nothing in it is to be trusted. */
export const htmlOf = (text: string): string => markdown.parser(new Bounded({ ...markdown.defaults }).lex(text));
