import { letIn } from '../auth';
import { limited, nothingHere, unauthorized } from '../errors';
import { fields, optional, text } from '../fields';
import { organisationOf } from '../organisation/standing';
import { sessionConfig, subjectOf } from '../session/subject';
import { newSession, SESSION } from '../session/token';
import { bodyOf } from './input';
import type { Route } from './route';
import { object, textOf } from './schemas';

const proof = fields<{ turnstile?: string }>({ turnstile: optional(text(2_048)) });

/** Tokens for pages, in place of a secret that would have to lie in them. */
export const session: Route[] = [
  {
    method: 'POST',
    path: '/api/session',
    summary: 'Gives a page a token of a few minutes, for a JWT, a first-party cookie or a Turnstile solution',
    body: object({ turnstile: textOf(2_048) }),
    bodyMayMiss: true,
    statuses: [201, 401, 403, 429, 503],
    handle: async (c) => {
      const config = sessionConfig(c.env);
      if (!config) throw nothingHere();
      // Whoever proves itself by a header has nothing to say.
      const { turnstile } = await bodyOf(c, proof, {});
      const subject = await subjectOf(c.req.raw, turnstile, config, c.env);
      if (!subject) throw unauthorized();
      await letIn(c.req.raw, { ...subject, token: SESSION }, c.env);
      const token = await newSession(subject, config.seconds, c.env);
      const object = await organisationOf(subject.organisation, c.env);
      const limits = { perSubject: config.perSubjectPerDay, total: config.perDay };
      // Only what is given counts.
      const wait = await object.countSession(subject.user ?? '', limits);
      if (wait !== undefined) throw limited(wait);
      return c.json({ token, expiresInSeconds: config.seconds }, 201);
    },
  },
];
