import { formatHost } from '../../sip/host.js';
import { SipRequest, type SipResponse } from '../../sip/message.js';
import { retryAfterSec } from '../../sip/retry-after.js';
import { TransportError } from '../transport/errors.js';
import type { SentBy } from '../transport/types.js';
import type { ClientTransaction, ClientTransactionUser, FailureReason, Hop, Source } from '../types.js';
import type { WalkContext } from './client-starter.js';

/** One place to send the request to. */
export interface Stop {
  readonly hop: Hop;
  /** The next stop is the same peer by UDP, where this one went by TCP for its size (RFC 3261 §18.1.1). */
  readonly isForSize: boolean;
}

/** No further target is tried when the request has been on its way for so many T1: 64 s, two time-outs. */
const MAX_WALK_T1 = 128;

/**
 * One request on its way over several targets, until one answers (RFC 3263 §4.3): each gets a transaction of its own,
 * a new branch with it, and the same Call-ID, From tag and CSeq. To its user all of it is one transaction.
 */
export class ClientWalk implements ClientTransaction, ClientTransactionUser {
  /** That of the first transaction. */
  readonly id: string;
  private current: ClientTransaction;
  private readonly left: Stop[];
  private stop: Stop;
  /** The request without Via. */
  private template: SipRequest | undefined;
  private readonly startMs: number;
  private readonly isInDialog: boolean;
  /** Where the first target sees us. */
  private readonly sentBy: SentBy;
  private isCancelled = false;
  private isRinging = false;

  /** Sends to the first stop that there is a listener for. Throws as `createClient` does, when there is none. */
  constructor(
    private readonly ctx: WalkContext,
    request: SipRequest,
    stops: readonly Stop[],
    private readonly user: ClientTransactionUser,
    private readonly branchTail?: string,
  ) {
    this.startMs = ctx.clock.monotonic();
    this.isInDialog = request.toTag !== undefined;
    this.template = copyOf(request);
    this.left = [...stops];
    for (;;) {
      this.stop = this.left.shift()!;
      try {
        this.current = ctx.createClient(request, this.stop.hop, this, branchTail);
        break;
      } catch (error) {
        if (!(error instanceof TransportError) || this.left.length === 0) throw error;
      }
    }
    this.id = this.current.id;
    this.sentBy = ctx.outlet(this.stop.hop).sentBy;
  }

  get request(): SipRequest {
    return this.current.request;
  }

  get hop(): Hop {
    return this.current.hop;
  }

  get sizeBytes(): number {
    return this.current.sizeBytes;
  }

  get localAddress(): string {
    return this.current.localAddress;
  }

  get localPort(): number {
    return this.current.localPort;
  }

  get wantsRepetitions(): boolean {
    return this.user.wantsRepetitions === true;
  }

  get hasResponse(): boolean {
    return this.current.hasResponse;
  }

  /** The target that has the request is told; no other gets it from now on. */
  cancel(extraHeaders: readonly { name: string; value: string }[]): SipRequest | undefined {
    this.isCancelled = true;
    return this.current.cancel(extraHeaders);
  }

  onProceeding(tx: ClientTransaction): void {
    if (tx === this.current) this.user.onProceeding?.(this);
  }

  onResponse(tx: ClientTransaction, response: SipResponse, source: Source): void {
    if (tx !== this.current) return;
    const { statusCode } = response;
    // RFC 3261 §21.5.4
    const pauseSec = retryAfterSec(response);
    if (statusCode === 503) this.ctx.failed.note(this.hop, pauseSec && pauseSec * 1000);
    // RFC 3263 §4.3. Deviation: not after a provisional that the user was told of, nor within a dialog, whose peer it is.
    if (statusCode === 503 && !this.isInDialog && !this.isRinging && this.goOn('503')) return;
    if (statusCode < 200) this.isRinging = true;
    else this.template = undefined;
    if (statusCode >= 200 && statusCode !== 503) this.ctx.failed.clear(this.hop);
    this.user.onResponse(this, response, source);
  }

  onFailure(tx: ClientTransaction, reason: FailureReason): void {
    if (tx !== this.current) return;
    // RFC 3263 §4.3: a time-out counts when the target never said anything.
    const isDead = reason !== 'timeout' || !tx.hasResponse;
    if (isDead) this.noteFailure(reason);
    if (isDead && this.goOn(reason)) return;
    this.template = undefined;
    this.user.onFailure(this, reason);
  }

  onTerminated(tx: ClientTransaction): void {
    if (tx === this.current) this.user.onTerminated(this);
  }

  private noteFailure(reason: FailureReason): void {
    const { hop, isForSize } = this.stop;
    if (!isForSize) this.ctx.failed.note(hop);
    else if (reason === 'transport') this.ctx.withoutTcp.note(hop);
  }

  /** False when there is nothing left to try. */
  private goOn(reason: '503' | FailureReason): boolean {
    // The peer is there but does not want the request, or took it and kept silent: UDP would not change that.
    if (this.stop.isForSize && reason !== 'transport') this.left.shift();
    const { clock, timers, log, counters } = this.ctx;
    const isLate = clock.monotonic() - this.startMs >= MAX_WALK_T1 * timers.t1Ms;
    const failed = this.hop;
    for (;;) {
      const stop = this.isCancelled || isLate ? undefined : this.left.shift();
      if (!stop || !this.template) return false;
      try {
        const request = this.requestFor(stop.hop, this.template);
        this.current = this.ctx.createClient(request, stop.hop, this, this.branchTail);
      } catch (error) {
        log.debug({ err: error, hop: stop.hop }, 'cannot send to this target');
        if (error instanceof TransportError) continue;
        return false;
      }
      log.debug(
        { reason, failed, hop: stop.hop, callId: this.template.callId },
        'going on to the next target',
      );
      this.stop = stop;
      counters.failovers++;
      this.user.onRetarget?.(this);
      return true;
    }
  }

  /** RFC 3263 §4.3: the same request; only where it says how to reach us, this target is told its own way. */
  private requestFor(hop: Hop, template: SipRequest): SipRequest {
    const request = copyOf(template);
    const { host, port } = this.ctx.outlet(hop).sentBy;
    if (host === this.sentBy.host) return request;
    const was = `${formatHost(this.sentBy.host)}:${this.sentBy.port}`;
    const is = `${formatHost(host)}:${port}`;
    for (const [i, field] of request.headers.entries())
      if (field.key === 'contact' || field.key === 'record-route')
        request.headers[i] = { ...field, value: field.value.replace(was, is) };
    return request;
  }
}

/** A copy with the same fields and body, on its own from now on. */
export function copyOf(request: SipRequest): SipRequest {
  const copy = new SipRequest(request.method, request.requestUri);
  copy.headers.push(...request.headers);
  copy.bodyText = request.bodyText;
  return copy;
}
