// What a server-side render does: imports; and, on a server that also chats, opens a gate.
import { isTidegateError, Tidegate } from 'tidegate';

export async function render(what) {
  let counted = 'nothing';
  if (what === 'memory') {
    const gate = await Tidegate.open({ name: 'render' });
    counted = (await gate.status()).ledger;
    await gate.close();
  }
  return `<p>${counted} ${isTidegateError(new Error('no'))}</p>`;
}
