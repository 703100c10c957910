import type { Engine, Told } from '../../../pkg/src/queue/engine';

type Change = Parameters<Told>[0];

/** What somebody listens for: one request, or all; all users', or one's, by whatever master key they are told apart. */
interface Wish {
  arrival: number | undefined;
  owners: string[] | undefined;
  /** Who listens to all users': the id of a token, or nothing for the operator's. */
  by?: string;
}

/** Seconds of silence after which a comment shows that a stream is alive. */
const ALIVE_MS = 15_000;
/** Streams and sockets of one object. */
const MAX_LISTENERS = 1_000;
/** Of one user among them, who could keep all others out. */
const MAX_OF_USER = 50;
/** Of one token that is nobody's in particular, or an admin's: a server listens for many. */
const MAX_OF_TOKEN = 500;
/** Bytes that a stream's reader may be behind before it is let go: they lie in the object's memory, of 128 MB. */
const MAX_BEHIND = 128 * 1024;

const hears = (wish: Wish, { arrival, owner }: Change) =>
  (wish.arrival === undefined || wish.arrival === arrival) &&
  (wish.owners === undefined || wish.owners.includes(owner() ?? ''));

const areSame = (owners: readonly string[], { owners: others }: Wish) =>
  others?.some((owner) => owners.includes(owner)) ?? false;

interface Stream {
  wish: Wish;
  send(event: Uint8Array): void;
  end(): void;
}

const encoder = new TextEncoder();
/** Made once for all who are told: a result has two megabytes. */
const eventOf = (status: string) => encoder.encode(`event: progress\ndata: ${status}\n\n`);
const [OPEN, ALIVE] = [encoder.encode(': open\n\n'), encoder.encode(': alive\n\n')];

/**
 * Who is told of progress. Sockets sleep with the object (hibernation) and keep their wishes; streams keep it awake.
 * A message is a request's status as JSON. Who listens for one request is told its result with the last, and is done.
 */
export class Listeners {
  readonly #ctx: DurableObjectState;
  readonly #streams = new Set<Stream>();
  /** There was no socket when it was last looked, and none has come: others only go. */
  #hasNoSocket = false;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair('ping', 'pong'));
  }

  socket(wish: Wish, status: string | undefined): Response {
    if (!this.#hasRoom(wish)) return new Response(null, { status: 503 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server);
    this.#hasNoSocket = false;
    server.serializeAttachment(wish);
    if (status !== undefined) {
      send(server, status);
      if (hasEnded(status)) server.close(1000, 'ended');
    }
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Nothing is to be said to it. */
  heard(socket: WebSocket, _: string | ArrayBuffer): Promise<void> {
    socket.close(1003, 'this socket only tells');
    return Promise.resolve();
  }

  stream(wish: Wish, status: string | undefined): Response {
    if (!this.#hasRoom(wish)) return new Response(null, { status: 503 });
    let stream: Stream | undefined;
    let alive: ReturnType<typeof setInterval> | null = null;
    const drop = () => {
      clearInterval(alive);
      if (stream) this.#streams.delete(stream);
    };
    const source: UnderlyingSource<Uint8Array> = {
      start: (controller) => {
        const write = (bytes: Uint8Array) => {
          try {
            if ((controller.desiredSize ?? 0) < -MAX_BEHIND) throw new RangeError('the reader is too far behind');
            controller.enqueue(bytes);
          } catch (failure) {
            drop();
            controller.error(failure);
          }
        };
        stream = {
          wish,
          send: write,
          end: () => {
            drop();
            try {
              controller.close();
            } catch {
              // The reader was faster.
            }
          },
        };
        this.#streams.add(stream);
        write(OPEN);
        if (status !== undefined) {
          stream.send(eventOf(status));
          if (hasEnded(status)) return stream.end();
        }
        alive = setInterval(() => write(ALIVE), ALIVE_MS);
      },
      cancel: drop,
    };
    const body = new ReadableStream(source, new ByteLengthQueuingStrategy({ highWaterMark: 0 }));
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
  }

  /** Tells everybody who listens for it. */
  tell(change: Change, engine: () => Engine): void {
    if (this.#streams.size === 0 && this.#hasNoSocket) return;
    const streams = [...this.#streams].filter(({ wish }) => hears(wish, change));
    const open = this.#ctx.getWebSockets();
    this.#hasNoSocket = open.length === 0;
    const sockets = open.flatMap((socket) => {
      const wish = socket.deserializeAttachment() as Wish;
      return hears(wish, change) ? [{ socket, wish }] : [];
    });
    if (streams.length + sockets.length === 0) return;
    const own = change.ended && [...streams, ...sockets].some(({ wish }) => wish.arrival !== undefined);
    const whole = own ? this.#whole(change, engine()) : Promise.resolve(change.status);
    void whole.then((status) => {
      const event = streams.length > 0 ? eventOf(change.status) : undefined;
      const last = own && streams.length > 0 ? eventOf(status) : event;
      for (const stream of streams) {
        const told = stream.wish.arrival === undefined ? event : last;
        if (told) stream.send(told);
        if (change.ended && stream.wish.arrival !== undefined) stream.end();
      }
      for (const { socket, wish } of sockets) {
        send(socket, wish.arrival === undefined ? change.status : status);
        if (change.ended && wish.arrival !== undefined) socket.close(1000, 'ended');
      }
    });
  }

  /** Ends what a user listens for. */
  leave(owners: readonly string[]): void {
    for (const stream of [...this.#streams]) if (areSame(owners, stream.wish)) stream.end();
    for (const socket of this.#ctx.getWebSockets()) {
      if (areSame(owners, socket.deserializeAttachment() as Wish)) socket.close(1000, 'ended');
    }
  }

  async #whole({ status }: Change, engine: Engine): Promise<string> {
    const { requestId } = JSON.parse(status) as { requestId: string };
    return (await engine.status(requestId)) ?? status;
  }

  #hasRoom({ owners, by }: Wish): boolean {
    const sockets = this.#ctx.getWebSockets();
    if (this.#streams.size + sockets.length >= MAX_LISTENERS) return false;
    const wishes = sockets.map((socket) => socket.deserializeAttachment() as Wish);
    const all = [...wishes, ...[...this.#streams].map(({ wish }) => wish)];
    if (owners) return all.filter((wish) => areSame(owners, wish)).length < MAX_OF_USER;
    return all.filter((wish) => wish.owners === undefined && wish.by === by).length < MAX_OF_TOKEN;
  }
}

/** Whether nothing more will be told of the request with this status. */
const hasEnded = (status: string) => (JSON.parse(status) as { endedAt?: number }).endedAt !== undefined;

function send(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // It is gone; the runtime tells.
  }
}
