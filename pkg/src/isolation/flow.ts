// A stream across realms: each read is one message of a transferred buffer, and the sender may be ahead of the consumer
// by a window. A transferred ReadableStream would cost 98 µs a chunk, since each of its chunks is asked for by message.

/** Bytes that may wait on the consumer's side. Well above the chunks of a socket, well below what hurts. */
export const WINDOW = 256 * 1024;

/** The gateway's end: reads while there is credit. */
export class Sender {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #credit = WINDOW;
  #wake: (() => void) | undefined;
  #left = false;

  constructor(bytes: ReadableStream<Uint8Array>) {
    this.#reader = bytes.getReader();
  }

  /** The consumer has taken so many bytes. */
  grant(bytes: number): void {
    this.#credit = Math.min(WINDOW, this.#credit + bytes);
    this.#wake?.();
  }

  /** The consumer went away. */
  cancel(): void {
    this.#left = true;
    void this.#reader.cancel().catch(() => undefined);
    this.#wake?.();
  }

  /** Sends all; rejects with what the stream failed with. */
  async run(send: (bytes: ArrayBuffer) => void): Promise<void> {
    for (;;) {
      while (this.#credit <= 0 && !this.#left) await new Promise<void>((wake) => (this.#wake = wake));
      const { done, value } = await this.#reader.read();
      if (done) return;
      const bytes = owned(value);
      this.#credit -= bytes.byteLength;
      send(bytes);
    }
  }
}

/** The bytes as a buffer of their own, which can be transferred. */
function owned(bytes: Uint8Array): ArrayBuffer {
  const { buffer } = bytes;
  const whole = buffer instanceof ArrayBuffer && bytes.byteLength === buffer.byteLength;
  return whole ? buffer : bytes.slice().buffer;
}

/** The consumer's end. */
export class Receiver {
  readonly readable: ReadableStream<Uint8Array>;
  #controller!: ReadableStreamDefaultController<Uint8Array>;
  readonly #waiting: Uint8Array[] = [];
  #pulled: (() => void) | undefined;
  #taken = 0;
  #ended = false;
  #over = false;
  readonly #credit: (bytes: number) => void;
  readonly #done: () => void;

  /** `credit` tells the sender what was taken, `left` that the consumer went away, `done` that nothing will follow. */
  constructor(credit: (bytes: number) => void, left: () => void, done: () => void) {
    this.#credit = credit;
    this.#done = done;
    this.readable = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => this.#pull(),
        cancel: () => {
          this.#over = true;
          left();
          done();
        },
      },
      { highWaterMark: 0 },
    );
  }

  #pull(): Promise<void> | undefined {
    const bytes = this.#waiting.shift();
    if (bytes) return void this.#give(bytes);
    if (this.#ended) return void this.#close();
    return new Promise((resolve) => (this.#pulled = resolve));
  }

  push(buffer: ArrayBuffer): void {
    if (this.#over || buffer.byteLength === 0) return;
    const bytes = new Uint8Array(buffer);
    if (!this.#pulled) return void this.#waiting.push(bytes);
    this.#give(bytes);
    this.#pulled();
    this.#pulled = undefined;
  }

  #give(bytes: Uint8Array): void {
    this.#controller.enqueue(bytes);
    this.#taken += bytes.byteLength;
    // Not for each chunk: half a window is early enough for the sender never to stand still.
    if (this.#ended || this.#taken < WINDOW / 2) return;
    this.#credit(this.#taken);
    this.#taken = 0;
  }

  /** All was sent: what waits is still handed out. */
  end(): void {
    this.#ended = true;
    if (this.#pulled) this.#close();
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller.close();
    this.#done();
  }

  /** Nothing more is handed out. */
  fail(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#waiting.length = 0;
    this.#controller.error(reason);
    this.#done();
  }
}
