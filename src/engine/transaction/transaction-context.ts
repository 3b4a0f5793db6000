import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import type { SipRequest } from '../../sip/message.js';
import type { MessageTransport, Outlet } from '../transport/types.js';
import type { TimerSettings } from '../types.js';
import type { Refusals } from './refusals.js';

/** What a transaction takes from the layer that owns it. */
export interface TransactionContext {
  readonly clock: Clock;
  readonly timers: TimerSettings;
  readonly log: Logger;
  readonly transport: MessageTransport;
  readonly refusedInvites: Refusals;
  readonly refusedRequests: Refusals;
}

/** The table that a transaction is in; each transaction calls `forget` once. */
export interface TransactionOwner {
  forget(key: string): void;
}

/** The table of client transactions. */
export interface ClientTransactionOwner extends TransactionOwner {
  /** Starts the transaction of a CANCEL to where the INVITE of that key went, with its branch (RFC 3261 §9.1). */
  sendCancel(inviteKey: string, cancel: SipRequest, outlet: Outlet): void;
}

/** Timers B, F, H, J, L and M, and D over unreliable transports: 64*T1 (RFC 3261 table 4, RFC 6026 §7.1). */
export function lifetimeMs(timers: TimerSettings): number {
  return 64 * timers.t1Ms;
}

/** When a client that hears nothing sets its timer E to T2 for the first time (RFC 4320 §4.1): 3.5 s by default. */
export function timerEAtT2Ms({ t1Ms, t2Ms }: TimerSettings): number {
  let atMs = 0;
  for (let intervalMs = t1Ms; intervalMs < t2Ms; intervalMs *= 2) atMs += intervalMs;
  return Math.min(atMs, 64 * t1Ms);
}

/** Runs a user's callback; a fault in it is logged and does not reach the transaction. */
export function tell(context: TransactionContext, what: string, callback: () => void): void {
  try {
    callback();
  } catch (error) {
    reportFault(context, what, error);
  }
}

/** Logs that a user's callback threw. */
export function reportFault(context: TransactionContext, what: string, error: unknown): void {
  context.log.error({ err: error, callback: what }, 'a transaction user failed');
}
