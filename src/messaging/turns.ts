import type { UserService } from '../accounts/types.js';
import type { TimelineEvent } from '../cdr/types.js';
import type { Clock } from '../platform/clock.js';
import { KeyedQueue } from '../platform/keyed-queue.js';
import type { Logger } from '../platform/logger.js';
import type { RegistrationService } from '../registrar/types.js';
import type { SrfEngine } from '../signalling/srf-types.js';
import { type Delivery, deliver, type Note } from './delivery.js';
import { MessageRefusedError } from './errors.js';
import type { Mailbox } from './mailbox.js';
import type { Letter } from './types.js';

/** Recipients that could not be reached, and letters that were refused: as many are remembered, the oldest go first. */
const MAX_REMEMBERED = 10_000;

export interface TurnDeps {
  readonly engine: SrfEngine;
  readonly users: Pick<UserService, 'authData'>;
  readonly registrations: Pick<RegistrationService, 'bindings'>;
  readonly mailbox: Mailbox;
  readonly maxTargets: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** A letter that had waited got to a phone; the events say to which. */
  onDelivered(letter: Letter, events: readonly TimelineEvent[]): void;
}

/** A letter whose sender has no answer yet. */
export interface Posting {
  readonly letter: Letter;
  readonly note: Note;
  /** Set as soon as the letter goes, or has gone, to the Store. */
  saving?: Promise<void>;
}

/** What a sender hears of its letter. */
export type TurnEnd = Exclude<Delivery, { kind: 'unreachable' }> | { readonly kind: 'stored' };

/** Letters of one recipient go to its phones one after the other, oldest first; those of different ones do not wait. */
export class Turns {
  private readonly queue = new KeyedQueue();
  /** When phones of a user last did not answer, monotonic; gone with the next success or registration. */
  private readonly unreachable = new Map<string, number>();
  /** Letters in the Store that a phone refused: they wait for another phone, and hold nobody up. */
  private readonly refused = new Set<string>();
  /** Users whose waiting letters are going to be sent, and whether those too that a phone refused. */
  private readonly flushing = new Map<string, boolean>();
  private isClosed = false;

  constructor(private readonly deps: TurnDeps) {}

  /** Sends a letter when those before it are through. Rejects with StoreError or MessageRefusedError. */
  post(posting: Posting): Promise<TurnEnd> {
    const queuedAt = this.deps.clock.monotonic();
    return this.queue.run(posting.letter.recipient, () => this.take(posting, queuedAt));
  }

  /** Keeps a letter that cannot be delivered now. Idempotent. */
  save(posting: Posting): Promise<void> {
    posting.saving ??= this.put(posting.letter);
    return posting.saving;
  }

  /** A phone of the user has registered: what waits is sent; what was refused, only when the phone is new. Never throws. */
  registered(username: string, isNew: boolean): void {
    this.unreachable.delete(username);
    if (this.isClosed) return;
    const begun = this.flushing.get(username);
    this.flushing.set(username, isNew || begun === true);
    if (begun !== undefined) return;
    const work = async (): Promise<void> => {
      const withRefused = this.flushing.get(username) === true;
      this.flushing.delete(username);
      await this.sendWaiting(username, { withRefused });
    };
    this.queue.run(username, work).catch((error: unknown) => {
      this.deps.log.warn({ err: error, username }, 'waiting messages could not be sent');
    });
  }

  /** Nothing is begun any more; what is at the phones goes on. */
  close(): void {
    this.isClosed = true;
  }

  private async put(letter: Letter): Promise<void> {
    // RFC 3428 §7: nothing is delivered after its time; Expires 0 is now or never.
    if (letter.expiresAt <= this.deps.clock.now())
      throw new MessageRefusedError('callee-unreachable', 'Temporarily Unavailable');
    await this.deps.mailbox.put(letter);
  }

  private async take(posting: Posting, queuedAt: number): Promise<TurnEnd> {
    const { letter, note } = posting;
    const { recipient } = letter;
    if (posting.saving) {
      await posting.saving;
      // A turn before this one found it in the Store and delivered it.
      if (!(await this.deps.mailbox.has(letter))) return { kind: 'stored' };
    }
    const isHopeless = (this.unreachable.get(recipient) ?? -1) >= queuedAt;
    if (this.isClosed || isHopeless || !(await this.sendWaiting(recipient, { before: letter.id })))
      return this.keep(posting);
    const events: TimelineEvent[] = [];
    const outcome = await this.send(letter, (event) => {
      events.push(event);
      note(event);
    });
    if (outcome.kind === 'unreachable') return this.keep(posting);
    // It was kept while it was with the phones: its sender has its answer already.
    if (posting.saving) {
      await posting.saving;
      await this.settle(letter, outcome, events);
    }
    return outcome;
  }

  private async keep(posting: Posting): Promise<TurnEnd> {
    await this.save(posting);
    return { kind: 'stored' };
  }

  private async settle(letter: Letter, { kind }: Delivery, events: readonly TimelineEvent[]): Promise<void> {
    if (kind === 'refused') remember(this.refused, letter.id);
    if (kind !== 'delivered') return;
    this.refused.delete(letter.id);
    await this.deps.mailbox.remove(letter);
    this.deps.onDelivered(letter, events);
  }

  /** Sends what waits, of letters only those `before` an id; resolves whether the way is free for what comes after. */
  private async sendWaiting(
    username: string,
    { before, withRefused = false }: { readonly before?: string; readonly withRefused?: boolean },
  ): Promise<boolean> {
    const { mailbox, users } = this.deps;
    const letters = await mailbox.waiting(username);
    const user = letters.length > 0 ? await users.authData(username) : undefined;
    for (const letter of letters) {
      if (this.isClosed) return false;
      // The account went, and may have come back for another person.
      if (user?.createdAt !== letter.recipientSince) {
        await mailbox.remove(letter);
        continue;
      }
      if (user.status !== 'ACTIVE') return false;
      const isLater = before !== undefined && letter.id >= before;
      if (isLater || (!withRefused && this.refused.has(letter.id))) continue;
      const events: TimelineEvent[] = [];
      const outcome = await this.send(letter, (event) => void events.push(event));
      if (outcome.kind === 'unreachable') return false;
      await this.settle(letter, outcome, events);
    }
    return true;
  }

  private async send(letter: Letter, note: Note): Promise<Delivery> {
    const { engine, clock, registrations, maxTargets, log } = this.deps;
    const { recipient } = letter;
    const phones = (await registrations.bindings(recipient)).slice(0, maxTargets);
    const outcome: Delivery =
      phones.length === 0 ? { kind: 'unreachable' } : await deliver(engine, clock, letter, phones, note);
    log.debug({ callId: letter.callId, recipient, phones: phones.length, outcome: outcome.kind }, 'message');
    if (outcome.kind !== 'unreachable') this.unreachable.delete(recipient);
    else {
      this.unreachable.set(recipient, clock.monotonic());
      if (this.unreachable.size > MAX_REMEMBERED)
        this.unreachable.delete(this.unreachable.keys().next().value!);
    }
    return outcome;
  }
}

function remember(ids: Set<string>, id: string): void {
  ids.add(id);
  if (ids.size > MAX_REMEMBERED) ids.delete(ids.values().next().value!);
}
