// Answers that nobody wrote down, in every dialect and from every provider, read by every client: through the gateway as
// without it, and translated as its provider said it. What a translation leaves out is told; a stream that was cut, or says
// that it failed, never looks whole. Each pair of a seed and a place is drawn anew, and a seed draws the same every time.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';

import { answer, DIALECTS, EXTRAS, PROVIDERS } from './generated/answers.mjs';
import { broken, Exchange } from './generated/exchange.mjs';
import { expected, seen } from './generated/expected.mjs';
import { random } from './generated/random.mjs';
import { READERS } from './generated/readers.mjs';

const FIRST = Number(process.env.TIDEGATE_SEED ?? 1);
const SEEDS = Number(process.env.TIDEGATE_SEEDS ?? 10);

const exchange = new Exchange();
after(() => exchange.close());

/** Everything that a seed and a place stand for. */
function scene(seed, name, dialect, stream) {
  const reader = READERS[name];
  const place = [...`${name} ${dialect} ${stream}`].reduce((hash, unit) => Math.imul(hash, 31) + unit.charCodeAt(0), 7);
  const draw = random(Math.imul(seed, 7_919) + place);
  const several = reader.manyChoices && ['chat', 'google'].includes(dialect) && draw.chance(0.25);
  const choices = several ? draw.int(2, 3) : 1;
  const providers = PROVIDERS[dialect];
  const provider = providers[(seed + draw.int(0, 5)) % providers.length];
  const given = answer(draw.int(0, 2 ** 30), dialect, provider, choices);
  return { reader, draw, choices, provider, given };
}

/** What is billed is what the provider counted. */
function counted({ usage }, model) {
  if (!model.usage) return;
  const { inputTokens, outputTokens } = usage;
  assert.deepEqual([inputTokens, outputTokens], [model.usage.input, model.usage.output]);
}

const attempt = async (work) => {
  try {
    return await work();
  } catch (error) {
    return { error };
  }
};

/** Without ids, of which some clients draw their own. */
const drawn = (said) => JSON.parse(JSON.stringify(said, (key, value) => (key === 'id' ? undefined : value)));

/** The same client, asked twice: the provider, and the gateway in front of it. */
async function unchanged({ reader, provider, given, choices }, dialect, stream) {
  const asking = { stream, choices };
  const direct = await attempt(() => reader.read({ ...asking, fetch: exchange.provider(given, stream) }));
  const through = await exchange.ask(reader, asking, provider, dialect, given);
  assert.equal(through.error?.name, direct.error?.name, through.error?.message);
  assert.deepEqual(through.raw, direct.raw);
  if (!through.error) counted(through.account, given.model);
}

/** A client of another dialect, or of another provider: told what the provider said. */
async function translated({ reader, provider, given, choices }, dialect, stream) {
  const { extra } = given.model;
  const asking = { stream, choices };
  const through = await exchange.ask(reader, asking, provider, dialect, given);
  if (reader.dialect === dialect) {
    const direct = await attempt(() => reader.read({ ...asking, fetch: exchange.provider(given, stream) }));
    assert.equal(through.error?.name, direct.error?.name, through.error?.message);
    if (direct.error) return;
  } else if (extra && EXTRAS[dialect][extra] === null) {
    assert.ok(through.error, `${extra} is lost`);
    return;
  }
  if (through.error) throw through.error;
  counted(through.account, given.model);
  const left = extra && reader.dialect !== dialect ? EXTRAS[dialect][extra] : undefined;
  const told = through.account.leftOut ?? [];
  assert.ok(left ? told.includes(left) : told.length === 0, `${left ?? 'nothing'} is left out, and ${told} is told`);
  const { said } = through;
  // The names of reasoning differ between compatible servers, whose bytes pass as they are.
  if (reader.dialect === dialect) for (const choice of said.choices) delete choice.reasoning;
  assert.deepEqual(seen(said), expected(given.model, { reader, dialect, provider }, said));
}

for (const name of Object.keys(READERS)) {
  for (const dialect of DIALECTS) {
    for (const stream of [false, true]) {
      test(`${name}, ${dialect} answers ${stream ? 'in a stream' : 'whole'}`, async () => {
        for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
          const own = scene(seed, name, dialect, stream);
          try {
            const { reader, provider } = own;
            const same = reader.dialect === dialect && (reader.own ?? provider) === provider;
            await (same ? unchanged : translated)(own, dialect, stream);
          } catch (error) {
            error.message = `TIDEGATE_SEED=${seed} TIDEGATE_SEEDS=1, from ${own.provider}: ${error.message}`;
            throw error;
          }
        }
      });
    }
    test(`${name}, ${dialect} breaks off`, async () => {
      for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
        const own = scene(seed, name, dialect, true);
        const { reader, draw, choices, provider, given } = own;
        const bytes = broken(draw, dialect, given);
        try {
          const well = await exchange.ask(reader, { stream: true, choices }, provider, dialect, given);
          const ill = await exchange.ask(reader, { stream: true, choices }, provider, dialect, given, bytes);
          if (well.error || ill.error) continue;
          assert.deepEqual(drawn(seen(ill.said, true)), drawn(seen(well.said, true)), 'it looks whole');
        } catch (error) {
          error.message = `TIDEGATE_SEED=${seed} TIDEGATE_SEEDS=1, from ${provider}: ${error.message}`;
          throw error;
        }
      }
    });
  }
}
