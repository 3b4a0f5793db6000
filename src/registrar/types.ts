import type { Protocol } from '../signalling/types.js';

/** A live contact binding with the flow it came from (RFC 3261 §10.3, RFC 5626 §5.2). */
export interface Binding {
  /** `user@realm`. */
  readonly aor: string;
  /** Contact URI as registered. */
  readonly contact: string;
  /** Contact's q, 0..1; 1 when absent (RFC 3261 §20.10). */
  readonly q: number;
  readonly callId: string;
  readonly cseq: number;
  /** Wall milliseconds. */
  readonly expiresAt: number;
  readonly registeredAt: number;
  /** Source that the REGISTER came from: the way back to the phone. */
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
  readonly userAgent: string;
  /** The proxies that requests to the phone have to pass, nearest to us first (RFC 3327 §5.3). */
  readonly path?: readonly string[];
}

/** Registrations as consoles and call control see them. */
export interface RegistrationService {
  /** Live bindings of a user, highest q first, then newest. */
  bindings(username: string): Promise<Binding[]>;
  /** Users with live bindings in order, a page at a time. */
  list(options?: { after?: string; limit?: number }): Promise<{ username: string; bindings: Binding[] }[]>;
  count(): Promise<{ users: number; bindings: number }>;
  /** Ends all bindings of a user by an operator's word; resolves how many there were. */
  remove(username: string): Promise<number>;
}
