// Under Trusted Types a worker's address must come out of a policy. Ours is named `tidegate`, passes the addresses of this
// package's worker, and nothing else; it never leaves this file.

interface Policy {
  createScriptURL(url: string): string;
}
interface Factory {
  createPolicy(name: string, rules: Policy): Policy;
}

let passing: string | undefined;
let policy: Policy | undefined;

/** The address, for `new Worker`. Throws a TypeError where the page's policy does not name ours. */
export function trusted(url: URL): URL {
  const { trustedTypes } = globalThis as { trustedTypes?: Factory };
  if (!trustedTypes) return url;
  policy ??= trustedTypes.createPolicy('tidegate', {
    createScriptURL(asked) {
      if (asked !== passing) throw new TypeError('not the address of a worker of tidegate');
      return asked;
    },
  });
  passing = url.href;
  try {
    // A TrustedScriptURL, which the platform's types do not know.
    return policy.createScriptURL(url.href) as unknown as URL;
  } finally {
    passing = undefined;
  }
}
