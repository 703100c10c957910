import Groq from 'groq-sdk';

import { chatOperations, settings } from './openai.mjs';
import { describeGenerated } from './questions.mjs';

/** @type {import('./questions.mjs').Client} */
export const groq = {
  provider: 'groq',
  model: 'openai/gpt-oss-20b',
  // It writes /openai/v1 itself.
  path: '',
  obeys: true,
  endsQuietly: true,
  open: (setup) => {
    const client = new Groq({ ...settings(setup), baseURL: setup.origin });
    return chatOperations(client, setup.model ?? groq.model);
  },
  describe: (error) => describeGenerated(Groq, error),
};
