// Tabs tell one another what became of the vault that they share. Nothing secret is said.

export type TabMessage = 'lock' | 'forget' | 'changed';

/** A channel to the other tabs of the same gate; silent where there is none. */
export function tabChannel(
  name: string,
  hear: (message: TabMessage) => void,
): {
  tell(message: TabMessage): void;
  close(): void;
} {
  if (typeof BroadcastChannel === 'undefined') return { tell: () => undefined, close: () => undefined };
  const channel = new BroadcastChannel(`tidegate:vault:${name}`);
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data === 'lock' || data === 'forget' || data === 'changed') hear(data);
  };
  let open = true;
  return {
    // What was under way when the gate was closed has still been stored.
    tell: (message) => open && channel.postMessage(message),
    close() {
      open = false;
      channel.close();
    },
  };
}
