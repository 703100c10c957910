// Links of documents that are read away from the repository, as on npm's page of the package.

/** Where a release's files can be looked at, if the manifest names a repository: publishing sets it. */
export function repositoryOf({ repository, version }) {
  const address = (repository?.url ?? '').replace(/^git\+|\.git$/gu, '');
  return address.startsWith('https://') ? `${address}/blob/v${version}` : undefined;
}

/** A link's address in Markdown, if it is neither absolute nor within the document. */
const PATH = /\]\((?![a-z]+:|#)([^)\s]+)\)/gu;

/** The paths that Markdown links to within its repository, as they are written. */
export const pathsIn = (markdown) => [...markdown.matchAll(PATH)].map(([, path]) => path);

/** The same document with addresses below `base` in place of these paths. */
export const withAddresses = (markdown, base) => markdown.replaceAll(PATH, (_, path) => `](${base}/${path})`);
