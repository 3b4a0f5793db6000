import type { Clock } from '../platform/clock.js';
import type { SrfEngine } from '../signalling/srf-types.js';
import type { Call } from './call.js';
import { causeOf } from './causes.js';
import { ClientRequest } from './client-request.js';
import { reasonHeader } from './header-policy.js';

/** Dialogs remembered over an absence of the engine; beyond that their phones end by their own timers. */
const MAX_ORPHANS = 20_000;
const BYE_TIMEOUT_MS = 40_000;

/**
 * Dialogs whose calls ended while the engine was away. An engine that outlived its connection still knows them, so each
 * gets its BYE when it is back; one that was restarted refuses, and the phones end by their own timers.
 */
export class OrphanedDialogs {
  private readonly ids = new Set<string>();

  constructor(
    private readonly engine: SrfEngine,
    private readonly clock: Clock,
  ) {}

  /** Remembers the confirmed dialogs of a call that is about to end. */
  add(call: Call): void {
    for (const leg of [call.a, ...call.fork.legs])
      if (leg.dialog && this.ids.size < MAX_ORPHANS) this.ids.add(leg.dialog.id);
  }

  /** Sends BYE in each of them, once. */
  hangUp(): void {
    const headers = { Reason: reasonHeader(causeOf('engine-lost')) };
    for (const dialogId of this.ids)
      new ClientRequest(
        this.engine,
        this.clock,
        { method: 'BYE', dialogId, headers, timeoutMs: BYE_TIMEOUT_MS },
        { onFinal: () => undefined, onFailure: () => undefined },
      );
    this.ids.clear();
  }
}
