import type { TimerHandle } from '../../platform/clock.js';
import type { SipRequest, SipResponse } from '../../sip/message.js';
import { parseRAck } from '../../sip/reliability.js';
import { serializeText } from '../../sip/serialize.js';
import type { ServerTransaction } from '../types.js';
import type { CoreContext } from './core-context.js';

/** Reliable provisionals of one INVITE that wait for the one before to be acknowledged; more are refused. */
export const MAX_QUEUED_PROVISIONALS = 16;
/** RFC 3262 §3: the first RSeq is chosen from 1..2^31-1. A small start is as good and easier to read. */
const FIRST_RSEQ_RANGE = 100_000;

interface Provisional {
  readonly response: SipResponse;
  readonly rseq: number;
  /** The application did not ask for it, so it does not hear of its PRACK. */
  readonly isEngines: boolean;
}

/** Whose PRACK it is: the application's to answer, or the engine's, which made the provisional reliable. */
export type PrackOwner = 'application' | 'engine';

/** The reliable provisional responses to one INVITE (RFC 3262 §3): one at a time, repeated until its PRACK. */
export class ReliableProvisionals {
  private nextRSeq = 1 + Math.floor(Math.random() * FIRST_RSEQ_RANGE);
  private readonly queue: Provisional[] = [];
  private retransmission: TimerHandle | undefined;
  private expiry: TimerHandle | undefined;
  private stopped = false;
  private heldFinal: (() => void) | undefined;

  /** `onTimeout` is called when no PRACK came within 64*T1. */
  constructor(
    private readonly ctx: CoreContext,
    private readonly tx: ServerTransaction,
    private readonly onTimeout: () => void,
  ) {}

  /** A final response is waiting for PRACKs. */
  get isHoldingFinal(): boolean {
    return this.heldFinal !== undefined;
  }

  /** RFC 3262 §3: no 2xx before a reliable provisional with a session description is acknowledged. */
  get mustHold2xx(): boolean {
    return this.queue.some(({ response }) => response.bodyText !== '');
  }

  /** Gives `response` its RSeq and sends it, at once or when those before it are acknowledged. False when too many wait. */
  send(response: SipResponse, isEngines: boolean): boolean {
    if (this.queue.length >= MAX_QUEUED_PROVISIONALS) return false;
    const rseq = this.nextRSeq++;
    response.append('RSeq', String(rseq));
    response.wireText = serializeText(response);
    this.queue.push({ response, rseq, isEngines });
    if (this.queue.length === 1) this.transmitFirst();
    return true;
  }

  /** Runs `send` once all is acknowledged. */
  holdFinal(send: () => void): void {
    this.heldFinal = send;
  }

  /** Takes a PRACK; undefined when it acknowledges nothing that waits (RFC 3262 §3: 481). */
  acknowledge(prack: SipRequest): PrackOwner | undefined {
    const rack = readRAck(prack.get('rack') ?? '');
    const first = this.queue[0];
    if (!rack || !first || rack.rseq !== first.rseq) return undefined;
    if (rack.cseq !== this.tx.request.cseq?.seq || rack.method !== this.tx.request.method) return undefined;
    this.queue.shift();
    this.clearTimers();
    if (this.queue.length > 0 && !this.stopped) this.transmitFirst();
    return first.isEngines ? 'engine' : 'application';
  }

  /** To be called when the PRACK was given to whoever answers it. */
  releaseFinal(): void {
    const send = this.heldFinal;
    if (!send || this.mustHold2xx) return;
    this.heldFinal = undefined;
    send();
  }

  /** A final response was sent, or all is over: nothing is sent any more, but PRACKs are still known (RFC 3262 §3). */
  stop(): void {
    this.stopped = true;
    this.clearTimers();
  }

  private transmitFirst(): void {
    const { t1Ms } = this.ctx.timers;
    this.expiry = this.ctx.clock.setTimeout(() => {
      this.stop();
      this.onTimeout();
    }, 64 * t1Ms);
    this.tx.respond(this.queue[0]!.response);
    this.schedule(t1Ms);
  }

  private schedule(intervalMs: number): void {
    this.retransmission = this.ctx.clock.setTimeout(() => {
      const first = this.queue[0];
      if (first) this.tx.respond(first.response);
      this.schedule(2 * intervalMs);
    }, intervalMs);
  }

  private clearTimers(): void {
    this.ctx.clock.clearTimeout(this.retransmission);
    this.ctx.clock.clearTimeout(this.expiry);
  }
}

/** Words behind the method are let pass: there are phones that write it twice, and the numbers say enough. */
function readRAck(text: string): ReturnType<typeof parseRAck> {
  return parseRAck(
    text
      .trim()
      .split(/[ \t]+/, 3)
      .join(' '),
  );
}

/** Whether a header that lists option tags has `100rel` (RFC 3262 §7). */
export function lists100rel(message: SipRequest | SipResponse, key: 'require' | 'supported'): boolean {
  return message.getAll(key).some((value) => /(?:^|[\s,])100rel(?=$|[\s,])/i.test(value));
}
