import type { Subscription } from './subscription.js';

/** Subscriptions by their dialog, by what they watch, and by who they are of. */
export class SubscriptionTable {
  private readonly byDialog = new Map<string, Subscription>();
  private readonly byResource = new Map<string, Set<Subscription>>();
  private readonly counts = new Map<string, number>();
  private readonly byEvent = new Map<string, number>();

  /** `onInterest` hears of the first subscription of a package and of the end of the last. */
  constructor(private readonly onInterest: (event: string, isWatched: boolean) => void) {}

  get size(): number {
    return this.byDialog.size;
  }

  /** Subscriptions of one subscriber. */
  countOf(subscriber: string): number {
    return this.counts.get(subscriber) ?? 0;
  }

  /** One that has the same dialog is dropped. */
  add(subscription: Subscription): void {
    const { dialogId, subscriber } = subscription.facts;
    this.byDialog.get(dialogId)?.drop();
    this.byDialog.set(dialogId, subscription);
    const key = keyOf(subscription);
    const group = this.byResource.get(key) ?? new Set();
    this.byResource.set(key, group.add(subscription));
    this.counts.set(subscriber, this.countOf(subscriber) + 1);
    this.countEvent(subscription.facts.event.name, 1);
  }

  remove(subscription: Subscription): void {
    const { dialogId, subscriber } = subscription.facts;
    if (this.byDialog.get(dialogId) !== subscription) return;
    this.byDialog.delete(dialogId);
    const key = keyOf(subscription);
    const group = this.byResource.get(key);
    group?.delete(subscription);
    if (group?.size === 0) this.byResource.delete(key);
    const left = this.countOf(subscriber) - 1;
    if (left > 0) this.counts.set(subscriber, left);
    else this.counts.delete(subscriber);
    this.countEvent(subscription.facts.event.name, -1);
  }

  private countEvent(event: string, by: number): void {
    const before = this.byEvent.get(event) ?? 0;
    this.byEvent.set(event, before + by);
    if (before === 0 || before + by === 0) this.onInterest(event, before === 0);
  }

  find(dialogId: string): Subscription | undefined {
    return this.byDialog.get(dialogId);
  }

  /** Those that watch a user by one package. */
  watching(event: string, resource: string): Iterable<Subscription> {
    return this.byResource.get(`${event} ${resource}`) ?? [];
  }

  values(): Iterable<Subscription> {
    return this.byDialog.values();
  }
}

function keyOf({ facts: { event, resource } }: Subscription): string {
  return `${event.name} ${resource}`;
}
