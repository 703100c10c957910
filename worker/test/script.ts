/** How one provider answers; what is not given is as it should be. */
export interface Script {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  delayMs?: number;
  /** Output tokens of each answer. */
  outputTokens?: number;
  /** Hold all answers until the next script. */
  hold?: boolean;
  /** Of a stream: how many pieces of text, and how long each is. */
  pieces?: number;
  pieceBytes?: number;
  /** Of a stream: what comes after that many pieces of text in place of the rest. Held until the next script. */
  after?: number;
  then?: 'hold' | 'cut' | 'error';
}

export interface Call {
  provider: string;
  path: string;
  authorization: string | undefined;
  /** The header `traceparent`. */
  trace: string | undefined;
  headers: string[];
  body: string;
  /** Bytes of a stream that the connection has taken so far. */
  sent: number;
  /** Whether the caller went away before the end. */
  gone: boolean;
}
