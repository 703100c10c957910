// What a gate needs after its first plain answer, or for anything else than that: the vault, `gate.fetch`, streams. Workers
// load it as the one file dist/worker-later.js, everything else as a module.

import { Access } from './vault/access.js';
import type { AtHand } from './vault/at-hand.js';
import type { VaultParts } from './vault/parts.js';
import { Vault } from './vault.js';

export { streaming } from './chunks.js';
export { answered, gateFetch, refused } from './fetch.js';
export { serveFetch, serveStream } from './isolation/serve-later.js';
export { loadKdf, runKdf } from './kdf.js';

/** The vault's methods that load later, and what is stored of it. */
export interface LateVault {
  vault: Vault;
  access: Access;
}

export function vaultOn(parts: VaultParts, atHand: AtHand): LateVault {
  const access = new Access(parts.core, parts.glue, parts.platform, parts.storage, parts.rest);
  return { vault: new Vault(parts, access, atHand), access };
}
