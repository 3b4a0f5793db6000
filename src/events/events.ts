import type { UserService } from '../accounts/types.js';
import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import type { Authenticator } from '../security/authenticator.js';
import type { SignallingConnection } from '../signalling/connection.js';
import type { LocalNames } from '../signalling/local-names.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { DialogModel, type WatchCalls } from './dialog-model.js';
import { dialogPackage } from './dialog-package.js';
import { messageSummary } from './message-summary.js';
import { Notifier } from './notifier.js';
import type { EventLimits, SubscriptionView } from './types.js';

/** How long a closing server waits for the phones that are told. */
const CLOSE_WAIT_MS = 2000;
const DEFAULTS = { minSec: 60, maxSec: 3600, maxPerUser: 200, maxTotal: 20_000 };

export interface EventsOptions {
  readonly authenticator: Authenticator;
  readonly connection: Pick<SignallingConnection, 'srf' | 'onStateChange'>;
  readonly users: Pick<UserService, 'authData'>;
  readonly names: Pick<LocalNames, 'has'>;
  /** What happens in calls. */
  readonly watchCalls: WatchCalls;
  /** Instant messages that wait for a user. */
  readonly waitingMessages: (username: string) => Promise<number>;
  readonly limits?: EventLimits;
  readonly clock?: Clock;
  readonly log: Logger;
}

/** Event packages as others see them. */
export interface EventService {
  subscriptions(): SubscriptionView[];
  /** Ends a subscription by an operator's word; resolves false for an id of none. */
  endSubscription(id: string): Promise<boolean>;
}

/** The event packages of this server: SUBSCRIBE, PUBLISH, and what leads to a NOTIFY. */
export class Events implements EventService, Closeable {
  private readonly clock: Clock;
  private readonly notifier: Notifier;
  private readonly dialogs: DialogModel;
  private readonly unwatch: () => void;
  private closing: Promise<void> | undefined;

  constructor(options: EventsOptions) {
    const { connection, authenticator, users, names, log } = options;
    this.clock = options.clock ?? systemClock;
    this.dialogs = new DialogModel(options.watchCalls, this.clock, (username) =>
      this.notifier.changed('dialog', username),
    );
    this.notifier = new Notifier(
      {
        engine: connection.srf,
        clock: this.clock,
        log,
        authenticator,
        users,
        names,
        limits: { ...DEFAULTS, ...options.limits },
      },
      [messageSummary(options.waitingMessages), dialogPackage(this.dialogs)],
    );
    // An engine that comes back knows the dialogs still, or nothing: phones are to begin anew (RFC 6665 §4.1.3).
    this.unwatch = connection.onStateChange((connected) => {
      if (connected) void this.notifier.endAll('deactivated');
    });
  }

  subscriptions(): SubscriptionView[] {
    return this.notifier.list();
  }

  endSubscription(id: string): Promise<boolean> {
    return this.notifier.remove(id);
  }

  /** Takes a SUBSCRIBE. */
  onSubscribe(req: SrfRequest, res: SrfResponse): Promise<void> {
    return this.notifier.handle(req, res);
  }

  /** Messages came or went that wait for a user. */
  messagesChanged(username: string): void {
    this.notifier.changed('message-summary', username);
  }

  /** Draining: no new subscriptions. */
  setDraining(draining: boolean): void {
    this.notifier.setDraining(draining);
  }

  /** Ends all subscriptions, so that phones subscribe anew with whoever comes next. */
  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    this.unwatch();
    this.notifier.setDraining(true);
    let timer: TimerHandle | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.clock.setTimeout(resolve, CLOSE_WAIT_MS);
    });
    await Promise.race([this.notifier.endAll('deactivated'), late]);
    this.clock.clearTimeout(timer);
    this.notifier.dropAll();
    this.dialogs.close();
  }
}
