// What a way into the vault is called here, and what it does not protect from.

import type { SlotInfo } from '../vault/types.js';

export const SLOTS: Record<SlotInfo['kind'], { title: string; limits: string }> = {
  passphrase: { title: 'Passphrase', limits: 'A copied profile or backup is as safe as the passphrase is strong.' },
  passkey: {
    title: 'Passkey',
    limits: 'Nothing that is stored here opens the vault without it. Keep a second way in: a lost passkey is lost.',
  },
  device: {
    title: 'This device',
    limits:
      'Asks nobody. Whoever copies this browser profile has it too. It keeps your keys out of exports and logs, no more.',
  },
  recovery: { title: 'Recovery code', limits: 'Opens the vault for whoever reads it. Keep it away from this device.' },
  unknown: { title: 'Another way in', limits: 'Made by a later version; it is left alone.' },
};
