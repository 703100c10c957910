/** Where the gateway runs, and what that keeps from scripts. */
export const PLACE = {
  page: 'The gateway runs in the page itself, where every script of the page can reach its unlocked keys.',
  worker:
    'The gateway runs in a worker: a script that gets into this page later can use it, but does not find the unlocked keys.',
  frame: 'The gateway runs in a frame of another origin, whose keys no script of this page can reach.',
} as const;
