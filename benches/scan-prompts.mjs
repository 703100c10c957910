// Prompts of 1 KB as people write them, without keys: words, some code, an address, a number. The same every time.

const WORDS =
  'the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so up said what its about than into them can only other time new some could these two may first then do any like my now over such our man me even most made after also did many off before must well back through years where much your way down should because long each just state those people too mr how little good world make very year still see own work men day get here old between both life being under three never know same last another while us might great go come since against right came take used himself few house use place during high without again home around small however found mrs part school thought went say general once upon every left war don does got united number hand course water until always public put thing fact though less enough almost took head yet government system set told nothing night end called didn eyes find going'.split(
    ' ',
  );
const CODE = [
  'const answer = await gate.chat({ model: "groq/llama-3.1-8b-instant", messages });',
  'https://example.org/articles/2026/11/how-tides-work?page=2#moon',
  "SELECT id, name FROM users WHERE created_at > now() - interval '7 days' ORDER BY 2;",
  'id 5f0c3b1e-9d2a-4c6b-8e7f-1a2b3c4d5e6f, 12,345.67 EUR, +49 30 901820',
];

/** 64 prompts of 1,024 characters, all of ASCII. */
export function prompts() {
  let seed = 7;
  const next = (below) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  return Array.from({ length: 64 }, () => {
    let text = '';
    while (text.length < 1024)
      text += next(40) === 0 ? `\n${CODE[next(CODE.length)]}\n` : `${WORDS[next(WORDS.length)]} `;
    return text.slice(0, 1024);
  });
}
