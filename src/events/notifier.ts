import type { User } from '../accounts/types.js';
import { dialogIdOf } from '../call/leg-dialog.js';
import type { Clock } from '../platform/clock.js';
import { ulid } from '../platform/ids.js';
import type { Logger } from '../platform/logger.js';
import { hasToTag, header, party, peerOf } from '../signalling/request.js';
import { respond, respondOnly } from '../signalling/respond.js';
import type { SrfEngine, SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { answerFor, EventRefusedError } from './errors.js';
import { type EventHeader, type EventPackage, parseEvent } from './event-package.js';
import { accepts, type EventRequestDeps, grantedSec, resourceOf, senderOf } from './event-request.js';
import { type EndReason, Subscription, type SubscriptionFacts } from './subscription.js';
import { SubscriptionTable } from './subscription-table.js';
import type { EventLimits, SubscriptionView } from './types.js';

const RETRY_AFTER_SEC = 60;

export interface NotifierDeps extends EventRequestDeps {
  readonly engine: SrfEngine;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: Required<Omit<EventLimits, 'intervalMs'>> & Pick<EventLimits, 'intervalMs'>;
}

/** Takes SUBSCRIBE and tells subscribers of changes (RFC 6665 §4.2). */
export class Notifier {
  private readonly packages: ReadonlyMap<string, EventPackage>;
  private readonly table: SubscriptionTable;
  private isDraining = false;
  private isCut = false;

  constructor(
    private readonly deps: NotifierDeps,
    packages: readonly EventPackage[],
  ) {
    this.packages = new Map(packages.map((one) => [one.name, one]));
    this.table = new SubscriptionTable((event, isWatched) => this.packages.get(event)?.interest?.(isWatched));
  }

  /** Allow-Events (RFC 6665 §8.2.2). */
  get allowEvents(): string {
    return [...this.packages.keys()].join(', ');
  }

  get size(): number {
    return this.table.size;
  }

  list(): SubscriptionView[] {
    return [...this.table.values()].map(({ view }) => view);
  }

  /** Ends one by an operator's word; false for an id of none. */
  remove(id: string): boolean {
    const found = [...this.table.values()].find(({ facts }) => facts.id === id);
    void found?.end('rejected');
    return found !== undefined;
  }

  /** Takes a SUBSCRIBE, in a dialog of a subscription or outside of one. Every one gets its final answer. */
  async handle(req: SrfRequest, res: SrfResponse): Promise<void> {
    try {
      const found = req.stackDialogId ? this.table.find(req.stackDialogId) : undefined;
      // RFC 6665 §4.2.1.4: a subscription that is over.
      if (!found && hasToTag(req)) return respondOnly(res, 481);
      if (this.isDraining && !found)
        throw new EventRefusedError(503, 'Service Unavailable', { 'Retry-After': RETRY_AFTER_SEC });
      const sender = await senderOf(this.deps, req, res);
      if (!sender) return;
      if (found) this.refresh(found, sender, req, res);
      else await this.subscribe(sender, req, res);
    } catch (error) {
      const { status, reason, headers } = answerFor(error);
      const facts = { callId: header(req, 'call-id'), status, reason };
      if (status >= 500) this.deps.log.warn({ ...facts, err: error }, 'a SUBSCRIBE could not be handled');
      else this.deps.log.debug(facts, 'SUBSCRIBE refused');
      respondOnly(res, status, { reason, headers });
    }
  }

  /** The state of a user in a package is another one. */
  changed(event: string, resource: string): void {
    for (const subscription of this.table.watching(event, resource)) subscription.changed();
  }

  /** Draining: no new subscriptions. */
  setDraining(draining: boolean): void {
    this.isDraining = draining;
  }

  /** Ends all of them. Resolves when their phones have answered or were given up. */
  async endAll(reason: EndReason): Promise<void> {
    await Promise.all([...this.table.values()].map((subscription) => subscription.end(reason)));
  }

  /** The line to the engine broke, or is back: then phones are to begin anew (RFC 6665 §4.1.3). */
  setConnected(connected: boolean): void {
    this.isCut = !connected;
    if (connected) void this.endAll('deactivated');
    else for (const subscription of this.table.values()) subscription.cut();
  }

  /** Forgets all of them without a word. */
  dropAll(): void {
    for (const subscription of [...this.table.values()]) subscription.drop();
  }

  private async subscribe(subscriber: User, req: SrfRequest, res: SrfResponse): Promise<void> {
    const { limits, clock, log } = this.deps;
    const { event, pack } = this.packageOf(req);
    // RFC 3261 §12.1.1: NOTIFY needs somewhere to go.
    if (header(req, 'contact') === undefined) throw new EventRefusedError(400, 'Missing Contact Header');
    // RFC 3261 §21.4.7
    if (!accepts(req, pack.contentType))
      throw new EventRefusedError(406, 'Not Acceptable', { Accept: pack.contentType });
    const resource = await resourceOf(this.deps, req);
    pack.authorise(subscriber, resource);
    const seconds = grantedSec(req, limits, pack.defaultSec);
    this.checkRoom(subscriber.username);
    const sent = await respond(res, 200, { headers: { Expires: seconds } });
    const { address, port } = peerOf(req);
    const facts = {
      id: ulid(clock.now()),
      dialogId: dialogIdOf(header(req, 'call-id') ?? '', party(req, 'from').tag ?? ''),
      event,
      subscriber: subscriber.username,
      resource: resource.username,
      subscriberSince: subscriber.createdAt,
      resourceSince: resource.createdAt,
      contact: header(sent, 'contact') ?? '',
      address: `${address}:${port}`,
      userAgent: header(req, 'user-agent') ?? '',
    };
    const subscription = new Subscription(facts, pack, {
      ...this.deps,
      intervalMs: limits.intervalMs ?? pack.intervalMs,
      isCut: () => this.isCut,
      resource: (of) => this.watched(of),
      onOver: (one) => this.table.remove(one),
    });
    this.table.add(subscription);
    const { subscriber: by, resource: of } = facts;
    log.debug({ event: event.name, subscriber: by, resource: of, seconds }, 'subscribed');
    // RFC 6665 §4.4.3: a SUBSCRIBE of no time asks for the state once.
    if (seconds === 0) void subscription.end('timeout');
    else subscription.extend(seconds);
  }

  private refresh(subscription: Subscription, sender: User, req: SrfRequest, res: SrfResponse): void {
    const { event, pack } = this.packageOf(req);
    const { facts } = subscription;
    // RFC 6665 §4.2.1.4, §4.5.2: one subscription a dialog, which is over when its end is on its way.
    if (event.name !== facts.event.name || event.id !== facts.event.id || subscription.isEnding)
      throw new EventRefusedError(481, 'Subscription Does Not Exist');
    if (sender.username !== facts.subscriber) throw new EventRefusedError(403, 'Not Your Subscription');
    const seconds = grantedSec(req, this.deps.limits, pack.defaultSec);
    respondOnly(res, 200, { headers: { Expires: seconds } });
    // RFC 6665 §4.2.1.4
    if (seconds === 0) void subscription.end('timeout');
    else subscription.extend(seconds);
  }

  private packageOf(req: SrfRequest): { event: EventHeader; pack: EventPackage } {
    const event = parseEvent(header(req, 'event'));
    const pack = event && this.packages.get(event.name);
    // RFC 6665 §4.2.1.1, §8.3.2
    if (!event || !pack) throw new EventRefusedError(489, 'Bad Event', { 'Allow-Events': this.allowEvents });
    return { event, pack };
  }

  private checkRoom(subscriber: string): void {
    const { maxPerUser, maxTotal } = this.deps.limits;
    const headers = { 'Retry-After': RETRY_AFTER_SEC };
    if (this.table.countOf(subscriber) >= maxPerUser)
      throw new EventRefusedError(480, 'Too Many Subscriptions', headers);
    if (this.table.size >= maxTotal) throw new EventRefusedError(503, 'Service Unavailable', headers);
  }

  /** Both accounts have to be there still. */
  private async watched(facts: SubscriptionFacts): Promise<User | undefined> {
    const { users } = this.deps;
    const { subscriber, subscriberSince, resource, resourceSince } = facts;
    const by = await users.authData(subscriber);
    if (by?.status !== 'ACTIVE' || by.createdAt !== subscriberSince) return undefined;
    const of = resource === subscriber ? by : await users.authData(resource);
    return of?.createdAt === resourceSince ? of : undefined;
  }
}
