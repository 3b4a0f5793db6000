import type { User } from '../accounts/types.js';
import { ClientRequest } from '../call/client-request.js';
import { PRODUCT } from '../call/header-policy.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import type { SrfEngine, SrfResponse } from '../signalling/srf-types.js';
import { type EventHeader, type EventPackage, formatEvent } from './event-package.js';
import type { SubscriptionView } from './types.js';

/** A non-INVITE transaction lasts 64*T1 = 32 s (RFC 3261 §17.1.2.2); the engine answers 408 then, this is in case it does not. */
const NOTIFY_TIMEOUT_MS = 40_000;
/** Answers to a NOTIFY that end its subscription (RFC 6665 §4.2.2); 408 and 430 are those of nobody. */
const FATAL = new Set([404, 405, 408, 410, 416, 430, 480, 481, 482, 483, 484, 485, 489, 501, 604]);

/** When a state that could not be found out is looked for again. */
const RETRY_MS = 5000;

/** Why a subscription ends (RFC 6665 §4.1.3): phones subscribe anew at once after `deactivated`. */
export type EndReason = 'timeout' | 'deactivated' | 'rejected' | 'noresource';

export interface SubscriptionFacts {
  readonly id: string;
  /** The engine's name of its dialog. */
  readonly dialogId: string;
  readonly event: EventHeader;
  readonly subscriber: string;
  readonly resource: string;
  /** When the two accounts were made: later ones of these names are somebody else. */
  readonly subscriberSince: number;
  readonly resourceSince: number;
  /** Our Contact in the dialog. */
  readonly contact: string;
  readonly address: string;
  readonly userAgent: string;
}

export interface SubscriptionDeps {
  readonly engine: SrfEngine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
  /** The line to the engine is broken: nothing can be sent, and all subscriptions end when it is back. */
  isCut(): boolean;
  /** The user with its state, while both accounts are there; undefined when one of them is gone or not active. */
  resource(facts: SubscriptionFacts): Promise<User | undefined>;
  onOver(subscription: Subscription): void;
}

/**
 * One subscription (RFC 6665 §4.2): a NOTIFY with the full state at the start, at each refresh and at each change, one at a time and not
 * sooner than its package allows; what changes meanwhile is told in one.
 */
export class Subscription {
  readonly since: number;
  private expiresAt = 0;
  private version = 0;
  private notified = 0;
  private lastSentAt = Number.NEGATIVE_INFINITY;
  private isDirty = false;
  private isSending = false;
  /** How often the line to the engine broke. */
  private lines = 0;
  /** The last NOTIFY is due, or under way. */
  private ending: EndReason | undefined;
  private isOver = false;
  private expiry: TimerHandle | undefined;
  private throttle: TimerHandle | undefined;
  private settleEnd: (() => void) | undefined;
  private readonly done: Promise<void>;

  constructor(
    readonly facts: SubscriptionFacts,
    private readonly pack: EventPackage,
    private readonly deps: SubscriptionDeps,
  ) {
    this.since = deps.clock.now();
    this.done = new Promise((resolve) => {
      this.settleEnd = resolve;
    });
  }

  get view(): SubscriptionView {
    const { id, event, subscriber, resource, address, userAgent } = this.facts;
    const { since, expiresAt, notified } = this;
    return { id, event: event.name, subscriber, resource, address, userAgent, since, expiresAt, notified };
  }

  /** Its last NOTIFY is due, or under way: it lasts no longer, whoever asks. */
  get isEnding(): boolean {
    return this.ending !== undefined;
  }

  /** It is to last so long from now on, and its subscriber hears the state at once (RFC 6665 §4.2.1.2). */
  extend(seconds: number): void {
    const { clock } = this.deps;
    if (this.ending) return;
    this.expiresAt = clock.now() + seconds * 1000;
    clock.clearTimeout(this.expiry);
    this.expiry = clock.setTimeout(() => void this.end('timeout'), seconds * 1000);
    this.lastSentAt = Number.NEGATIVE_INFINITY;
    this.changed();
  }

  /** The state of its resource is another one. */
  changed(): void {
    const hasBegun = this.expiresAt > 0;
    if (!hasBegun || this.ending || this.isOver || this.deps.isCut()) return;
    this.isDirty = true;
    this.pump();
  }

  /** Tells the subscriber that it is over (RFC 6665 §4.1.3). Resolves when that is answered or given up; never rejects. */
  end(reason: EndReason): Promise<void> {
    this.ending ??= reason;
    this.clearTimers();
    this.pump();
    return this.done;
  }

  /** The line to the engine broke: an answer that is awaited will not come. */
  cut(): void {
    this.lines++;
    this.isSending = false;
    this.isDirty = false;
  }

  /** Forgets it without a word. */
  drop(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.clearTimers();
    this.deps.onOver(this);
    this.settleEnd?.();
  }

  private pump(): void {
    const { clock, intervalMs } = this.deps;
    if (this.isSending || this.isOver) return;
    const waitMs = this.lastSentAt + intervalMs - clock.monotonic();
    if (this.ending || (this.isDirty && waitMs <= 0)) {
      this.isSending = true;
      this.isDirty = false;
      clock.clearTimeout(this.throttle);
      this.send().catch((error: unknown) => {
        this.deps.log.error({ err: error, ...this.facts }, 'a subscription failed inside');
        this.drop();
      });
    } else if (this.isDirty) this.later(waitMs);
  }

  private later(delayMs: number): void {
    const { clock } = this.deps;
    clock.clearTimeout(this.throttle);
    this.throttle = clock.setTimeout(() => this.pump(), delayMs);
  }

  private async send(): Promise<void> {
    const { deps, lines } = this;
    let body: string | undefined;
    try {
      body = await this.document();
    } catch (error) {
      deps.log.warn({ err: error, ...this.facts }, 'the state of a user is not known now');
      if (lines !== this.lines) return;
      this.isSending = false;
      this.isDirty = true;
      // A last NOTIFY says what matters without a body too.
      if (!this.ending && !this.isOver) return this.later(RETRY_MS);
    }
    if (this.isOver || lines !== this.lines) return;
    const isLast = this.ending !== undefined;
    this.lastSentAt = deps.clock.monotonic();
    this.notified++;
    const status = await this.request(body);
    if (lines !== this.lines) return;
    this.isSending = false;
    if (isLast || this.isOver) this.drop();
    else if (status === undefined) this.drop();
    else if (FATAL.has(status)) this.giveUp(status);
    else this.pump();
  }

  /** The full state; undefined, and the end of the subscription, when one of the accounts is gone. */
  private async document(): Promise<string | undefined> {
    const resource = await this.deps.resource(this.facts);
    if (!resource) this.ending ??= 'rejected';
    return resource && this.pack.state(resource, this.version++);
  }

  /** RFC 6665 §4.2.2: nobody is there any more. The engine forgets the dialog by a NOTIFY that says so. */
  private giveUp(status: number): void {
    this.deps.log.info({ ...this.facts, status }, 'a subscription ends by the answer to its NOTIFY');
    this.ending = 'noresource';
    this.clearTimers();
    this.pump();
  }

  /** Status of the answer; undefined when nothing could be sent. */
  private request(body: string | undefined): Promise<number | undefined> {
    const { engine, clock } = this.deps;
    const { dialogId, event, contact } = this.facts;
    const headers = {
      Event: formatEvent(event),
      'Subscription-State': this.stateHeader(),
      Contact: contact,
      'User-Agent': PRODUCT,
      ...(body !== undefined && { 'Content-Type': this.pack.contentType }),
    };
    return new Promise((resolve) => {
      const user = {
        onFinal: (res: SrfResponse) => resolve(res.status),
        onFailure: () => resolve(undefined),
      };
      const request = { method: 'NOTIFY', dialogId, headers, timeoutMs: NOTIFY_TIMEOUT_MS };
      new ClientRequest(engine, clock, { ...request, ...(body !== undefined && { body }) }, user);
    });
  }

  /** RFC 6665 §8.2.3. */
  private stateHeader(): string {
    if (this.ending) return `terminated;reason=${this.ending}`;
    const leftSec = Math.max(0, Math.round((this.expiresAt - this.deps.clock.now()) / 1000));
    return `active;expires=${leftSec}`;
  }

  private clearTimers(): void {
    this.deps.clock.clearTimeout(this.expiry);
    this.deps.clock.clearTimeout(this.throttle);
  }
}
