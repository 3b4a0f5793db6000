import type { UserService } from '../accounts/types.js';
import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { withDefaults } from '../platform/with-defaults.js';
import type { RegistrationService } from '../registrar/types.js';
import type { Authenticator } from '../security/authenticator.js';
import type { SignallingConnection } from '../signalling/connection.js';
import type { LocalNames } from '../signalling/local-names.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { DialogModel, type WatchCalls } from './dialog-model.js';
import { dialogPackage } from './dialog-package.js';
import { messageSummary } from './message-summary.js';
import { Notifier } from './notifier.js';
import { derivedNote, summaryOf } from './pidf.js';
import { type PresenceParties, presenceFacts, presencePackage } from './presence-package.js';
import { Publications } from './publications.js';
import { Publisher } from './publisher.js';
import type { EventLimits, EventService, PresenceView, SubscriptionView } from './types.js';

/** How long a closing server waits for the phones that are told. */
const CLOSE_WAIT_MS = 2000;
const DEFAULTS = { minSec: 60, maxSec: 3600, maxPerUser: 200, maxTotal: 20_000 };

export interface EventsOptions {
  readonly authenticator: Authenticator;
  readonly connection: Pick<SignallingConnection, 'srf' | 'onStateChange'>;
  readonly users: Pick<UserService, 'authData'>;
  readonly names: Pick<LocalNames, 'has'>;
  readonly registrations: Pick<RegistrationService, 'bindings'>;
  /** What happens in calls. */
  readonly watchCalls: WatchCalls;
  /** Instant messages that wait for a user. */
  readonly waitingMessages: (username: string) => Promise<number>;
  readonly limits?: EventLimits;
  readonly clock?: Clock;
  readonly log: Logger;
}

/** The event packages of this server: SUBSCRIBE, PUBLISH, and what leads to a NOTIFY. */
export class Events implements EventService, Closeable {
  private readonly clock: Clock;
  private readonly notifier: Notifier;
  private readonly dialogs: DialogModel;
  private readonly publications: Publications;
  private readonly publisher: Publisher;
  private readonly presence: PresenceParties;
  private readonly unwatch: () => void;
  private closing: Promise<void> | undefined;

  constructor(private readonly options: EventsOptions) {
    const { connection, authenticator, users, names, registrations, log } = options;
    const clock = options.clock ?? systemClock;
    this.clock = clock;
    const limits = withDefaults<Required<Omit<EventLimits, 'intervalMs'>> & Pick<EventLimits, 'intervalMs'>>(
      DEFAULTS,
      options.limits,
    );
    const requests = { authenticator, users, names };
    this.dialogs = new DialogModel(options.watchCalls, clock, (username, isNews) =>
      this.callsChanged(username, isNews),
    );
    this.publications = new Publications(clock, limits.maxTotal, (username) =>
      this.notifier.changed('presence', username),
    );
    this.publisher = new Publisher({ ...requests, publications: this.publications, limits, log });
    const { dialogs, publications } = this;
    const isRegistered = async (username: string): Promise<boolean> =>
      (await registrations.bindings(username)).length > 0;
    this.presence = { publications, dialogs, isRegistered };
    this.notifier = new Notifier({ ...requests, engine: connection.srf, clock, log, limits }, [
      messageSummary(options.waitingMessages),
      dialogPackage(dialogs),
      presencePackage(this.presence),
    ]);
    this.unwatch = connection.onStateChange((connected) => this.notifier.setConnected(connected));
  }

  subscriptions(): SubscriptionView[] {
    return this.notifier.list();
  }

  presenceUsers(): string[] {
    const watched = this.subscriptions().flatMap(({ event, resource }) =>
      event === 'presence' ? [resource] : [],
    );
    return [...new Set([...this.publications.users(), ...watched])].sort();
  }

  async presenceOf(username: string): Promise<PresenceView | undefined> {
    const user = await this.options.users.authData(username);
    if (!user) return undefined;
    const facts = await presenceFacts(this.presence, user);
    const watchers = this.subscriptions().filter(
      (one) => one.event === 'presence' && one.resource === username,
    ).length;
    if ('derived' in facts) {
      const { derived } = facts;
      return { username, isOpen: derived.isOpen, note: derivedNote(derived), publications: 0, watchers };
    }
    const { published } = facts;
    const said = published.map(({ parts }) => summaryOf(parts));
    return {
      username,
      isOpen: said.some(({ isOpen }) => isOpen),
      note: said.find(({ note }) => note !== '')?.note ?? '',
      publications: published.length,
      expiresAt: Math.max(...published.map((one) => one.expiresAt)),
      watchers,
    };
  }

  endSubscription(id: string): boolean {
    return this.notifier.remove(id);
  }

  /** Takes a SUBSCRIBE. */
  onSubscribe(req: SrfRequest, res: SrfResponse): Promise<void> {
    return this.notifier.handle(req, res);
  }

  /** Takes a PUBLISH. */
  onPublish(req: SrfRequest, res: SrfResponse): Promise<void> {
    return this.publisher.handle(req, res);
  }

  /** A phone of a user came or went. */
  registrationChanged(username: string): void {
    this.notifier.changed('presence', username);
  }

  /** Messages came or went that wait for a user. */
  messagesChanged(username: string): void {
    this.notifier.changed('message-summary', username);
  }

  /** Draining: no new subscriptions and publications. */
  setDraining(draining: boolean): void {
    this.notifier.setDraining(draining);
    this.publisher.setDraining(draining);
  }

  /** Ends all subscriptions, so that phones subscribe anew with whoever comes next. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  /** Presence tells of talking only, not of each step to it. */
  private callsChanged(username: string, isNews: boolean): void {
    this.notifier.changed('dialog', username);
    if (isNews) this.notifier.changed('presence', username);
  }

  private async shutDown(): Promise<void> {
    this.unwatch();
    this.setDraining(true);
    let timer: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.clock.setTimeout(resolve, CLOSE_WAIT_MS);
    });
    await Promise.race([this.notifier.endAll('deactivated'), late]);
    this.clock.clearTimeout(timer);
    this.notifier.dropAll();
    this.dialogs.close();
    this.publications.close();
  }
}
