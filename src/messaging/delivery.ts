import { calleeFailure } from '../call/causes.js';
import { ClientRequest } from '../call/client-request.js';
import { bestFailure, type LegFailure } from '../call/fork-outcome.js';
import type { TimelineEvent } from '../cdr/types.js';
import type { Clock } from '../platform/clock.js';
import { routeHeaders, routeUrlFor } from '../registrar/route-url.js';
import type { Binding } from '../registrar/types.js';
import { header } from '../signalling/request.js';
import type { SrfEngine } from '../signalling/srf-types.js';
import type { Letter } from './types.js';

/** Timer F of the engine is 32 s (RFC 3261 §17.1.2.2), and a margin. */
const ANSWER_TIMEOUT_MS = 35_000;

/** Takes what happens at the phones, for the record. */
export type Note = (event: TimelineEvent) => void;

/** What became of a letter at the phones. */
export type Delivery =
  | { readonly kind: 'delivered' }
  /** A phone answered, and would not have it; the status is for the sender. */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly reason: string;
      readonly releaseReason: string;
    }
  /** No phone answered. */
  | { readonly kind: 'unreachable' };

/**
 * Sends a letter to phones at once. Resolves at the first 2xx, else when all have failed, with the best failure
 * (RFC 3261 §16.7 step 6). Never rejects.
 */
export function deliver(
  engine: SrfEngine,
  clock: Clock,
  letter: Letter,
  phones: readonly Binding[],
  note: Note,
): Promise<Delivery> {
  return new Promise((resolve) => {
    const failures: LegFailure[] = [];
    const fail = (failure: LegFailure): void => {
      failures.push(failure);
      if (failures.length === phones.length) resolve(asDelivery(bestFailure(failures)!));
    };
    for (const [i, phone] of phones.entries()) {
      send(engine, clock, letter, phone, note, `b${i + 1}`, (failure) =>
        failure ? fail(failure) : resolve({ kind: 'delivered' }),
      );
    }
  });
}

/** One phone; `settle` is called once, without a failure for a 2xx. */
function send(
  engine: SrfEngine,
  clock: Clock,
  letter: Letter,
  phone: Binding,
  note: Note,
  leg: string,
  settle: (failure: LegFailure | undefined) => void,
): void {
  const { contact, address, port, protocol } = phone;
  const attempt = (callId: string): void =>
    note({ kind: 'attempt', leg, contact, address, port, transport: protocol, callId });
  const end = (status: number, reason: string): void => note({ kind: 'attempt-ended', leg, status, reason });
  let isSent = false;
  new ClientRequest(
    engine,
    clock,
    {
      method: 'MESSAGE',
      uri: contact,
      proxy: routeUrlFor(phone),
      headers: { ...letter.headers, ...routeHeaders(phone) },
      body: letter.body,
      timeoutMs: ANSWER_TIMEOUT_MS,
    },
    {
      onSent: (sent) => {
        isSent = true;
        attempt(header(sent, 'call-id') ?? '');
      },
      onFinal: ({ status, reason, source_address }) => {
        end(status, reason);
        const isLocal = source_address === '';
        settle(status < 300 ? undefined : { status, reason, isLocal, reasonHeader: undefined });
      },
      onFailure: (error) => {
        if (!isSent) attempt('');
        end(408, error.message);
        settle({ status: 408, reason: error.message, isLocal: true, reasonHeader: undefined });
      },
    },
  );
}

function asDelivery({ status: answered, reason, isLocal }: LegFailure): Delivery {
  // RFC 5626 §5.3.1: 430 is a connection that is gone.
  if (isLocal || answered === 408 || answered === 430) return { kind: 'unreachable' };
  const { cause, status } = calleeFailure(answered);
  return {
    kind: 'refused',
    status,
    reason: status === answered ? reason : '',
    releaseReason: cause.name,
  };
}
