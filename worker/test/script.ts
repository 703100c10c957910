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
}

export interface Call {
  provider: string;
  authorization: string | undefined;
  headers: string[];
  body: string;
}
