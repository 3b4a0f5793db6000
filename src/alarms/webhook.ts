import { createHmac } from 'node:crypto';
import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import { errorMessage } from '../platform/errors.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { alarmEvent } from './alarm-event.js';
import { rankOf, type Severity } from './catalogue.js';
import { postJson } from './post-json.js';
import type { AlarmChange, AlarmService } from './types.js';

/** Changes that wait for a receiver; of more the oldest are dropped and counted. */
export const MAX_WAITING_CHANGES = 1000;
/** How long one attempt may take, milliseconds. */
const TIMEOUT_MS = 5000;
/** A change is given up after so many attempts; pauses double from the first to the last, milliseconds. */
const MAX_ATTEMPTS = 8;
const FIRST_PAUSE_MS = 1000;
const LAST_PAUSE_MS = 60_000;

export interface WebhookOptions {
  readonly url: string;
  /** Signs what is sent (HMAC-SHA256); not signed without one. */
  readonly key?: string;
  /** This severity and worse are told of; read each time. */
  readonly severity: () => Severity;
  /** Put into everything that is sent. */
  readonly from: Readonly<Record<'product' | 'version' | 'node', string>>;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly timeoutMs?: number;
}

/** Tells an HTTP receiver of each change of an alarm, one after another in their order, from a bounded queue. */
export class AlarmWebhook implements Closeable {
  private readonly url: URL;
  private readonly clock: Clock;
  private readonly ending = new AbortController();
  private readonly unsubscribe: () => void;
  private waiting: AlarmChange[] = [];
  private attempts = 0;
  private dropped = 0;
  private isFailing = false;
  private timer: TimerHandle | undefined;
  private work: Promise<void> | undefined;

  constructor(
    private readonly options: WebhookOptions,
    alarms: Pick<AlarmService, 'onChange'>,
  ) {
    this.url = new URL(options.url);
    this.clock = options.clock ?? systemClock;
    this.unsubscribe = alarms.onChange((change) => this.take(change));
  }

  /** What waits is dropped. */
  async close(): Promise<void> {
    this.unsubscribe();
    this.ending.abort();
    this.clock.clearTimeout(this.timer);
    await this.work;
    const { length: waiting } = this.waiting;
    if (waiting > 0) this.options.log.warn({ waiting }, 'the alarm webhook ends with alarms untold');
  }

  private take(change: AlarmChange): void {
    if (rankOf(change.alarm.severity) > rankOf(this.options.severity())) return;
    this.waiting.push(change);
    if (this.waiting.length > MAX_WAITING_CHANGES) {
      // The first may be on its way.
      this.waiting.splice(1, 1);
      this.dropped++;
    }
    if (this.timer === undefined) this.begin();
  }

  private begin(): void {
    this.work ??= this.tellAll().finally(() => {
      this.work = undefined;
      // What came between the end of the round and here.
      const isLeft = this.waiting.length > 0 && this.timer === undefined;
      if (isLeft && !this.ending.signal.aborted) this.begin();
    });
  }

  /** Tells what waits until there is nothing left or an attempt fails. Never rejects. */
  private async tellAll(): Promise<void> {
    while (this.waiting.length > 0 && !this.ending.signal.aborted) {
      const fault = await this.tell(this.waiting[0]!);
      if (this.ending.signal.aborted) return;
      if (fault && this.retry(fault)) return;
      this.waiting.shift();
      this.attempts = 0;
      if (!fault) this.noteSuccess();
    }
  }

  /** Sets the next attempt; false when the change is to be given up. */
  private retry({ reason, isFinal }: Fault): boolean {
    const { log } = this.options;
    this.attempts++;
    if (!this.isFailing) log.warn({ reason }, 'the alarm webhook does not take alarms');
    this.isFailing = true;
    if (isFinal || this.attempts >= MAX_ATTEMPTS) {
      this.dropped++;
      return false;
    }
    const pauseMs = Math.min(LAST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (this.attempts - 1));
    this.timer = this.clock.setTimeout(() => {
      this.timer = undefined;
      this.begin();
    }, pauseMs);
    return true;
  }

  private noteSuccess(): void {
    const { dropped } = this;
    if (this.isFailing || dropped > 0)
      this.options.log.info({ dropped }, 'the alarm webhook takes alarms again');
    this.isFailing = false;
    this.dropped = 0;
  }

  private async tell(change: AlarmChange): Promise<Fault | undefined> {
    const { key, from, timeoutMs = TIMEOUT_MS } = this.options;
    const event = alarmEvent(change);
    const body = JSON.stringify({ ...from, ...event });
    const headers = {
      'User-Agent': `${from.product}/${from.version}`,
      // The same for each attempt: a receiver may hear of a change twice.
      'X-Ims-Delivery': `${change.alarm.uid}-${change.kind}`,
      ...(key !== undefined && { 'X-Ims-Signature': `sha256=${sign(body, key)}` }),
    };
    try {
      const status = await postJson({ url: this.url, headers, body, timeoutMs, signal: this.ending.signal });
      return status >= 200 && status < 300 ? undefined : faultOf(status);
    } catch (error) {
      return { reason: errorMessage(error), isFinal: false };
    }
  }
}

interface Fault {
  readonly reason: string;
  /** Another attempt would fare no better. */
  readonly isFinal: boolean;
}

/** Time-outs, floods and faults of the receiver pass; other refusals do not. */
function faultOf(status: number): Fault {
  const mayPass = status >= 500 || status === 408 || status === 425 || status === 429;
  return { reason: `answer ${status}`, isFinal: !mayPass };
}

const sign = (body: string, key: string): string => createHmac('sha256', key).update(body).digest('hex');
