import { isTidegateError, type TidegateError } from 'tidegate';

import { duration, moment, money } from './format';

/** What a person is told when something failed. */
export interface Problem {
  code: string;
  title: string;
  next: string;
  details: string[];
}

/** What happened, and what to do next, by error code. */
const WORDS: Record<string, [title: string, next: string]> = {
  invalid_request: ['The request is not valid', 'Correct the fields named here and try again.'],
  config_invalid: ['The configuration is not valid', 'Correct the fields named here and reload the page.'],
  secret_detected: ['Your message carries a secret', 'Take the key or token out of the message and send it again.'],
  unauthorized: ['You are not signed in', 'Sign in again.'],
  forbidden: ['You may not do this', 'Ask whoever runs this gateway for access.'],
  rate_limited: ['Too many requests', 'Wait a moment, then send it again.'],
  budget_exceeded: [
    'The budget leaves no room for this',
    'Wait for the reset, raise the cap, or ask for a shorter answer. Cached answers still cost nothing.',
  ],
  queue_full: ['Too many requests at once', 'Wait until one has ended, then send it again.'],
  no_target: ['No provider can take this', 'Add a key to the vault for one of the targets.'],
  circuit_open: ['The provider is resting', 'It failed repeatedly. It is tried again when its count-down ends.'],
  authentication: ['The provider refused the key', 'Put a valid key into the vault.'],
  model_not_found: ['The provider does not offer this model', 'Choose another target.'],
  context_length: ['The message is too long for the model', 'Shorten it and send it again.'],
  quota: ['The account has no credit left', 'Top it up at the provider, or add a key for another provider.'],
  upstream_rejected: ['The provider refused the request', 'Change the message; sending it again will not help.'],
  unpriced_input: ['This request has no known price', 'Set a price for the model in the configuration.'],
  unsupported_endpoint: ['This is not supported', 'Leave that option out.'],
  upstream_limited: ['The provider asks to slow down', 'Wait for the stated time, or add a key for another provider.'],
  upstream_failed: ['The providers failed', 'Try again in a moment, and check your connection.'],
  upstream_malformed: ['The answer could not be read', 'Try again; if it goes on, use another target.'],
  timeout: ['The answer took too long', 'Try again, or ask for a shorter answer.'],
  stream_interrupted: [
    'The answer was cut',
    'What arrived is kept here, but it is not the whole answer. Send it again to ask anew.',
  ],
  aborted: ['You stopped this request', 'Nothing is running any more.'],
  vault_locked: ['The vault did not open', 'Check the passphrase and unlock the vault.'],
  vault_corrupt: [
    'A stored record is damaged',
    'It was left as it is. Start a new vault only if you still have your keys.',
  ],
  isolation_failed: [
    'The gateway is not where it should be',
    'Unlock the vault again if it was restarted. If it never starts, the page is served wrongly: see the details.',
  ],
  closed: ['The gateway was closed here', 'Reload the page: it was opened anew with other settings.'],
  internal: ['Something broke in the gateway', 'Reload the page. The budget and the vault are kept.'],
};

/** One line for attempts in a row that ended alike. */
function attemptsOf(error: TidegateError): string[] {
  const rows: { line: string; times: number }[] = [];
  for (const { target, code, status } of error.attempts ?? []) {
    const line = `${target}: ${code}${status ? ` (${status})` : ''}`;
    const last = rows.at(-1);
    if (last?.line === line) last.times += 1;
    else rows.push({ line, times: 1 });
  }
  return rows.map(({ line, times }) => (times > 1 ? `${line}, ${times} times` : line));
}

/** Which timer ran out, or what the network did. */
const CAUSES: Record<string, string> = {
  attempt: 'One attempt took too long.',
  total: 'The time for the whole request ran out.',
  headers: 'The provider did not begin to answer in time.',
  'first-output': 'The first token did not come in time.',
  idle: 'Nothing more came for too long.',
  network: 'The connection was lost.',
  offline: 'This browser is offline.',
  cors: 'The provider does not let this page read its answers.',
};

/** Of these the error's own sentence says what helps: which file is not there, or why nothing can be stored. */
const SAYS_MORE = ['internal', 'isolation_failed', 'vault_corrupt'];

/** Turns whatever was thrown into words. Texts of foreign errors are not shown: they could carry anything. */
export function problemOf(error: unknown): Problem {
  if (!isTidegateError(error)) {
    return {
      code: 'unknown',
      title: 'Something went wrong',
      next: 'Reload the page. The budget and the vault are kept.',
      details: [],
    };
  }
  // A refusal for money without a wait: the request is above the whole cap.
  const [title, next] =
    error.code === 'budget_exceeded' && error.retryAfterMs === undefined
      ? [
          'This could cost more than the whole budget',
          'Ask for a shorter answer, or raise the cap: waiting will not help.',
        ]
      : (WORDS[error.code] ?? [error.message, 'Try again.']);
  const cause = CAUSES[error.timeout ?? error.network ?? ''];
  const details = [
    ...(cause ? [cause] : []),
    ...(SAYS_MORE.includes(error.code) ? [error.message] : []),
    ...(error.fields ?? []).map(({ path, problem }) => `${path}: ${problem}`),
    ...(error.budget
      ? [
          `${money(error.budget.spentNanoUsd)} of ${money(error.budget.limitNanoUsd)} is spent` +
            (error.budget.reservedNanoUsd > 0 ? `, ${money(error.budget.reservedNanoUsd)} is reserved.` : '.'),
          ...(error.retryAfterMs === undefined ? [] : [`It resets ${moment(error.budget.resetsAt)}.`]),
        ]
      : []),
    ...(error.retryAfterMs && !error.budget ? [`Worth another try in ${duration(error.retryAfterMs)}.`] : []),
    ...attemptsOf(error),
  ];
  return { code: error.code, title, next, details };
}
