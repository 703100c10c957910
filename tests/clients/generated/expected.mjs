// What was said, as a client of another dialect is told it.

/** What can be compared: nothing that a client does not tell at all. */
export function seen(said, withoutCounts = false) {
  const told = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
  const choices = said.choices.map((choice) => told({ ...choice, calls: choice.calls.map(told) }));
  return withoutCounts ? { choices } : { choices, usage: said.usage && told(said.usage) };
}

/** What a client of `caller` reads of a provider of `dialect`; `read` is what it did, whose words this is put in. */
export function expected(
  { choices, usage },
  { reader: { dialect: caller, refusesInText, callsAsDone }, dialect, provider },
  read,
) {
  const said = choices.map((choice, place) => ({ ...choice, calls: calls(choice, read.choices[place], callsAsDone) }));
  for (const [place, choice] of said.entries()) {
    // Gemini has no place for a refusal's text but the text; Anthropic calls an answer refused that says one.
    if (caller === 'google') Object.assign(choice, { text: choice.refusal + choice.text, refusal: '' });
    if (refusesInText && choice.refusal) Object.assign(choice, { text: choice.refusal, finish: refused(choice) });
    if (caller === 'anthropic' && choice.refusal) choice.finish = refused(choice);
    // Anthropic refuses a text of nothing but white space when it comes back with the calls behind it: one between two
    // calls, too.
    if (caller === 'anthropic' && choice.calls.length > 0) {
      const [own, told] = [choice.text ?? '', read.choices[place]?.text ?? ''];
      if (isBlank(own)) choice.text = '';
      else if (own.startsWith(told) && isBlank(own.slice(told.length))) choice.text = told;
    }
  }
  const { written: _, ...counts } = usage ?? {};
  // xAI counts reasoning beside the answer. Who reads its own bytes reads that.
  if (provider === 'xai' && caller === dialect) counts.output -= counts.reasoning;
  return seen({
    choices: said.map((choice, place) => alike(choice, read.choices[place])),
    usage: alike(usage && counts, read.usage),
  });
}

/** U+FEFF is no white space. */
const isBlank = (text) => text.replaceAll('\uFEFF', 'x').trim() === '';

const refused = ({ finish }) => (finish === 'stop' ? 'filter' : finish);

/** The fields that a client tells of something. */
function alike(own, told) {
  if (!own || !told) return own;
  return Object.fromEntries(Object.entries(own).filter(([key]) => told[key] !== undefined));
}

/** Gemini may have no ids for its calls: then the gateway makes some up, which nobody can know before. */
function calls({ calls: own }, { calls: told = [] } = {}, asDone) {
  if (!asDone || own.some((call) => !call.id)) return own.map((call, at) => ({ ...call, id: call.id ?? told[at]?.id }));
  const place = ({ id }) => told.findIndex((call) => call.id === id);
  return own.toSorted((one, other) => place(one) - place(other));
}
