import type { User } from '../accounts/types.js';
import type { OpenRecord, RecordService } from '../cdr/types.js';
import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { withDefaults } from '../platform/with-defaults.js';
import type { RegistrationService } from '../registrar/types.js';
import type { Authenticator } from '../security/authenticator.js';
import type { SignallingConnection } from '../signalling/connection.js';
import type { LocalNames } from '../signalling/local-names.js';
import { cseqNumber, header, type Party, party, peerOf } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import type { Collection } from '../store/types.js';
import { refusalOf } from './errors.js';
import type { RecipientDirectory } from './find-recipient.js';
import { LetterReader } from './letter-reader.js';
import { CLOSE_WAIT_MS, DEFAULT_LIMITS, LOOKUP_TIMEOUT_MS, MAX_UNANSWERED, SWEEP_MS } from './limits.js';
import { Mailbox } from './mailbox.js';
import { endRecord, noteLetter, openMessageRecord } from './message-records.js';
import { Patience } from './patience.js';
import { type TurnEnd, Turns } from './turns.js';
import type { Letter, MessageBoxService, MessageLimits } from './types.js';

export interface MessagingOptions extends Pick<RecipientDirectory, 'users' | 'numbering'> {
  readonly authenticator: Authenticator;
  readonly connection: Pick<SignallingConnection, 'srf'>;
  readonly registrations: Pick<RegistrationService, 'bindings'>;
  readonly collection: Collection;
  readonly records: Pick<RecordService, 'begin'>;
  readonly names: Pick<LocalNames, 'has'>;
  readonly realm: string;
  /** Bodies go into records. Default false. */
  readonly recordBodies?: boolean;
  /** Phones of one user that get a message at once. Default 10. */
  readonly maxTargets?: number;
  /** What waits for a user has changed; must not throw and must not wait. */
  readonly onWaiting?: (recipient: string) => void;
  readonly limits?: MessageLimits;
  readonly clock?: Clock;
  readonly log: Logger;
}

/** Instant messages outside calls (RFC 3428): `handle` takes them, `registered` sends what has waited. */
export class Messaging implements MessageBoxService, Closeable {
  private readonly clock: Clock;
  private readonly limits: Required<MessageLimits>;
  private readonly mailbox: Mailbox;
  private readonly turns: Turns;
  private readonly patience: Patience;
  private readonly reader: LetterReader;
  /** Requests without a final answer, by what makes them the same (RFC 3261 §8.2.2.2). */
  private readonly unanswered = new Set<string>();
  private timer: TimerHandle | undefined;
  private isDraining = false;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: MessagingOptions) {
    const { connection, users, registrations, collection, log, maxTargets = 10 } = options;
    const clock = options.clock ?? systemClock;
    this.clock = clock;
    this.limits = withDefaults(DEFAULT_LIMITS, options.limits);
    this.mailbox = new Mailbox(collection, this.limits, () => clock.now(), options.onWaiting);
    this.reader = new LetterReader({ ...options, limits: this.limits, clock });
    this.turns = new Turns({
      engine: connection.srf,
      users,
      registrations,
      mailbox: this.mailbox,
      maxTargets,
      clock,
      log,
      onDelivered: (letter, events) => {
        const record = openMessageRecord(options.records, letter);
        this.note(record, letter);
        for (const event of events) record.add(event);
        endRecord(record, { ...DELIVERED, releaseReason: 'message-delivered-later' }, 'CALLEE');
      },
    });
    this.patience = new Patience(this.turns, this.limits.patienceMs, clock, log);
    this.schedule();
  }

  /** Takes a MESSAGE outside a dialog. Every one gets its final answer. */
  async handle(req: SrfRequest, res: SrfResponse): Promise<void> {
    const from = party(req, 'from');
    const key = `${header(req, 'call-id')} ${from.tag} ${cseqNumber(req)}`;
    // RFC 3261 §8.2.2.2
    if (this.unanswered.has(key)) return respondOnly(res, 482, { reason: 'Merged Request' });
    if (this.unanswered.size >= MAX_UNANSWERED || this.isDraining || this.closing)
      return respondOnly(res, 503, { headers: { 'Retry-After': 10 } });
    this.unanswered.add(key);
    try {
      const user = await this.authenticate(req, res);
      if (user) await this.take(req, res, from, user);
    } catch (error) {
      this.refuse(req, res, error);
    } finally {
      this.unanswered.delete(key);
    }
  }

  /** A phone of the user has registered; `isNew` when it was not there before, or is another than it was. */
  registered(username: string, isNew: boolean): void {
    this.turns.registered(username, isNew);
  }

  /** What waits for a user, oldest first. Rejects with StoreError. */
  waitingFor(username: string): Promise<Letter[]> {
    return this.mailbox.waiting(username);
  }

  listWaiting(options: { readonly after?: string; readonly limit: number }): ReturnType<Mailbox['page']> {
    return this.mailbox.page(options);
  }

  async discard(username: string, id?: string): Promise<number> {
    const letters = (await this.mailbox.waiting(username)).filter(
      (letter) => id === undefined || letter.id === id,
    );
    for (const letter of letters) await this.mailbox.remove(letter);
    return letters.length;
  }

  /** Draining: new messages hear 503. */
  setDraining(draining: boolean): void {
    this.isDraining = draining;
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.turns.close();
    this.clock.clearTimeout(this.timer);
    const until = performance.now() + CLOSE_WAIT_MS;
    while (this.unanswered.size > 0 && performance.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    this.patience.giveUp();
    // Their handlers answer in the next turns of the event loop.
    while (this.unanswered.size > 0 && performance.now() < until + CLOSE_WAIT_MS)
      await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** The sender, or undefined when it was challenged. */
  private async authenticate(req: SrfRequest, res: SrfResponse): Promise<User | undefined> {
    const { authenticator } = this.options;
    const work = authenticator.authenticate(req, 'proxy');
    const outcome = await withDeadline(work, LOOKUP_TIMEOUT_MS, 'authentication');
    if (outcome.ok) return outcome.user;
    authenticator.reject(req, res, 'proxy', outcome);
    return undefined;
  }

  private async take(req: SrfRequest, res: SrfResponse, from: Party, user: User): Promise<void> {
    const { address, port, protocol } = peerOf(req);
    const record = openMessageRecord(this.options.records, {
      callId: header(req, 'call-id') ?? '',
      cseq: cseqNumber(req),
      senderUri: from.uri,
      sender: user.username,
      dialled: req.uri,
      address,
      port,
      transport: protocol,
      userAgent: header(req, 'user-agent'),
    });
    try {
      const letter = await this.reader.read(req, from, user);
      this.note(record, letter);
      const end = await this.patience.post({ letter, note: (event) => record.add(event) });
      this.answer(res, record, end);
    } catch (error) {
      const { sipStatus: status, message: reason, refusal, result } = refusalOf(error);
      endRecord(record, { status, reason, result, releaseReason: refusal }, 'SERVER');
      throw error;
    }
  }

  private note(record: OpenRecord, letter: Letter): void {
    noteLetter(record, letter, this.options.realm, this.options.recordBodies ?? false);
  }

  private answer(res: SrfResponse, record: OpenRecord, end: TurnEnd): void {
    if (end.kind === 'delivered') {
      respondOnly(res, 200);
      endRecord(record, { ...DELIVERED, releaseReason: 'message-delivered' }, 'CALLEE');
    } else if (end.kind === 'stored') {
      // RFC 3428 §7
      respondOnly(res, 202);
      endRecord(
        record,
        { result: 'ANSWERED', status: 202, reason: 'Accepted', releaseReason: 'message-stored' },
        'SERVER',
      );
    } else {
      const { status, reason, releaseReason } = end;
      respondOnly(res, status, reason === '' ? {} : { reason });
      endRecord(record, { result: 'FAILED', status, reason, releaseReason }, 'CALLEE');
    }
  }

  private refuse(req: SrfRequest, res: SrfResponse, error: unknown): void {
    const { sipStatus, message, refusal, headers } = refusalOf(error);
    const facts = { callId: header(req, 'call-id'), refusal };
    if (sipStatus >= 500) this.options.log.warn({ ...facts, err: error }, 'a MESSAGE could not be handled');
    else this.options.log.info({ ...facts, reason: message }, 'MESSAGE refused');
    respondOnly(res, sipStatus, { reason: message, headers });
  }

  private schedule(): void {
    if (this.closing) return;
    this.timer = this.clock.setTimeout(() => {
      this.mailbox
        .sweep()
        .catch((error: unknown) => this.options.log.warn({ err: error }, 'old messages could not be removed'))
        .finally(() => this.schedule());
    }, SWEEP_MS);
  }
}

const DELIVERED = { result: 'ANSWERED', status: 200, reason: 'OK' } as const;
