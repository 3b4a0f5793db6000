import type { SessionTransport } from '../session/session-state.js';

/** One connection as a session sees it: text out, keys in, and how big the screen is. */
export interface TerminalPort {
  readonly transport: SessionTransport;
  /** Where the operator sits, for logs and lists. */
  readonly address: string;
  /** Writes text; line ends are CR LF already. Output beyond the backlog limit closes the connection. */
  write(text: string): void;
  /** Resolves when the client has read what was written, or is gone. */
  drained(): Promise<void>;
  /** Whether keys come one by one and we echo; else lines come whole (`nc`). May change as options are negotiated. */
  isTerminal(): boolean;
  columns(): number;
  rows(): number;
  /** Stops and goes on reading from the client. */
  pause(): void;
  resume(): void;
  /** Sends what was written, then closes. Idempotent. */
  end(): void;
}
