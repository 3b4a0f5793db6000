import type { LoadedConfig } from '../config/load.js';

/** A server that takes calls. */
export interface RunningServer {
  /** What a person wants to know at the start, and tools in the run file. */
  readonly facts: {
    readonly serverIp: string;
    readonly sip: readonly string[];
    readonly mml: string;
    /** Set when SSH is on. */
    readonly ssh?: { readonly address: string; readonly fingerprint: string };
    readonly adminSocket: string;
    readonly relay: string;
    readonly store: string;
    readonly engine: string;
    readonly realm: string;
    readonly userCount: number;
    /** Set once, when the operator `admin` was made with a password of ours. */
    readonly generatedPassword?: string;
  };
  /** Resolves with the reason when a part died that the server cannot go on without; never otherwise. */
  readonly failed: Promise<Error>;
  /**
   * Resolves when an operator wants the server to be stopped and started anew (RST SERVICE), with the settings to do so; never
   * otherwise.
   */
  readonly restartWanted: Promise<LoadedConfig>;
  /** How long `stop` waits for calls now, seconds. */
  readonly drainSec: number;
  /** Refuses new calls, waits up to DRAIN_SEC for those that are up, ends them, and frees everything. Idempotent. */
  stop(): Promise<void>;
  /** Reads certificates anew; connections that are up live on. */
  reload(): void;
}
