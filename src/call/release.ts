import type { CallRecord, OpenRecord, ReleaseParty, TimelineEvent } from '../cdr/types.js';
import type { Clock } from '../platform/clock.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import type { ALeg } from './a-leg.js';
import type { CallMedia } from './call-media.js';
import type { Cause } from './causes.js';
import type { Fork } from './fork.js';
import { reasonHeader } from './header-policy.js';
import type { Leg, LegEnding } from './leg.js';
import type { Trail } from './trail.js';

/** How and by whom a call ends. */
export interface CallEnd {
  readonly cause: Cause;
  readonly by: ReleaseParty;
  /** Final status for a caller that has none yet; the cause's when absent. */
  readonly status?: number;
  readonly phrase?: string;
  /** The callee's own status behind it. */
  readonly sip?: { readonly status: number; readonly text: string };
  /** A Reason header that a party sent; ours when absent. */
  readonly reason?: string;
  /** For the final response, e.g. Retry-After; or from the other party's BYE. */
  readonly headers?: OutgoingHeaders;
  /** A leg that lives on in another call. */
  readonly keep?: Leg;
}

/** What is released. */
export interface Releasable {
  readonly trail: Trail;
  readonly media: CallMedia;
  readonly a: ALeg;
  readonly fork: Fork;
  readonly answerTime: number | undefined;
}

/** How long the record waits for the phones' answers to BYE and CANCEL: they complete the ladder, not the facts. */
const SETTLE_TIMEOUT_MS = 1000;
/** RFC 3261 §20.33: when a caller may try again after 503, seconds. */
const RETRY_AFTER_SEC = 10;

/**
 * The one way out of a call: the facts are written down, the media is released, every leg is ended, the record is
 * closed. Each step is tried whatever becomes of the others.
 */
export class Release {
  /** The closed record. */
  readonly done: Promise<CallRecord>;

  constructor(
    call: Releasable,
    private readonly record: OpenRecord,
    private readonly clock: Clock,
    end: CallEnd,
  ) {
    writeEnd(call, end);
    const media = call.media.close();
    const legs = endLegs(call, end);
    this.done = this.finish(call, media, legs);
  }

  private async finish(
    call: Releasable,
    media: ReturnType<CallMedia['close']>,
    legs: Promise<unknown>,
  ): Promise<CallRecord> {
    const streams = await media;
    if (streams.length > 0) call.trail.add({ kind: 'media', streams });
    await this.settled(legs);
    return this.record.finish();
  }

  private settled(legs: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.clock.setTimeout(resolve, SETTLE_TIMEOUT_MS);
      const done = (): void => {
        this.clock.clearTimeout(timer);
        resolve();
      };
      legs.then(done, done);
    });
  }
}

/** The `ended` event of a cause by itself. */
export function endedEvent(
  { name: releaseReason, result, status, q850: q850Cause }: Cause,
  by: ReleaseParty,
): Extract<TimelineEvent, { kind: 'ended' }> {
  return { kind: 'ended', by, result, status, reason: reasonPhrase(status), releaseReason, q850Cause };
}

function writeEnd(call: Releasable, end: CallEnd): void {
  const { cause, by } = end;
  const isAnswered = call.answerTime !== undefined;
  const status = isAnswered && cause.result !== 'ABNORMAL' ? 200 : (end.status ?? cause.status);
  call.trail.add({
    kind: 'ended',
    result: isAnswered && cause.result !== 'ABNORMAL' ? 'ANSWERED' : cause.result,
    by,
    status,
    reason: end.phrase ?? reasonPhrase(status),
    releaseReason: cause.name,
    q850Cause: q850Of(end.reason) ?? cause.q850,
  });
}

function endLegs(call: Releasable, end: CallEnd): Promise<unknown> {
  const { a } = call;
  const { toCaller, toPhones } = endings(end);
  const caller = end.keep === a ? undefined : a.end(a.isTrying ? toCaller : toPhones);
  return Promise.allSettled([caller, ...endPhones(call, end)]);
}

/** Ends the legs of the callee's phones. Those that are over already take no notice. */
export function endPhones({ fork }: Pick<Releasable, 'fork'>, end: CallEnd): Promise<void>[] {
  const { toPhones } = endings(end);
  return fork.legs.filter((leg) => leg !== end.keep).map((leg) => leg.end(toPhones));
}

function endings(end: CallEnd): { toCaller: LegEnding; toPhones: LegEnding } {
  const status = end.status ?? end.cause.status;
  const reason = end.reason ?? reasonHeader(end.cause, end.sip?.status === status ? undefined : end.sip);
  const headers = {
    Reason: reason,
    ...(status === 503 && { 'Retry-After': RETRY_AFTER_SEC }),
    ...end.headers,
  };
  const ending: LegEnding = {
    status: Math.max(status, 400),
    headers,
    ...(end.phrase !== undefined && { reasonPhrase: end.phrase }),
  };
  // Retry-After belongs to the final response only.
  const { 'Retry-After': _, ...midCall } = headers as OutgoingHeaders & { 'Retry-After'?: unknown };
  return { toCaller: ending, toPhones: { ...ending, headers: midCall } };
}

/** What a party said of the end in its BYE or CANCEL: it goes on to the other one, its cause into the record. */
export function toldBy(headers: OutgoingHeaders): Pick<CallEnd, 'reason' | 'headers'> {
  const { Reason: reason } = headers;
  return typeof reason === 'string' ? { reason, headers } : { headers };
}

/** The Q.850 cause in a Reason header (RFC 3326 §2); undefined without one of 1..127. */
function q850Of(reason: string | undefined): number | undefined {
  const cause = Number(/Q\.850\s*;[^,]*?cause\s*=\s*(\d{1,3})/i.exec(reason ?? '')?.[1]);
  return cause >= 1 && cause <= 127 ? cause : undefined;
}
