/** Bounds of event packages; each may be left out. */
export interface EventLimits {
  /** Shortest and longest time of a subscription or publication, seconds. Default 60 and 3600. */
  readonly minSec?: number;
  readonly maxSec?: number;
  /** Subscriptions of one subscriber. Default 200. */
  readonly maxPerUser?: number;
  /** Subscriptions in all. Default 20000. */
  readonly maxTotal?: number;
  /** Shortest time between two NOTIFYs of a subscription, milliseconds; that of its package when absent. */
  readonly intervalMs?: number;
}

/** A subscription as consoles see it. */
export interface SubscriptionView {
  readonly id: string;
  /** Event package. */
  readonly event: string;
  /** User names. */
  readonly subscriber: string;
  readonly resource: string;
  readonly address: string;
  readonly userAgent: string;
  /** Wall milliseconds. */
  readonly since: number;
  readonly expiresAt: number;
  /** NOTIFYs sent. */
  readonly notified: number;
}

/** Presence of a user as consoles see it. */
export interface PresenceView {
  readonly username: string;
  readonly isOpen: boolean;
  /** Of the first publisher that has one; what the server knows when nothing is published. */
  readonly note: string;
  readonly publications: number;
  /** When the last publication ends, wall milliseconds; absent without one. */
  readonly expiresAt?: number;
  /** Subscriptions to it. */
  readonly watchers: number;
}

/** Event packages as others see them. */
export interface EventService {
  subscriptions(): SubscriptionView[];
  /** Users that published their presence, or whose presence is watched. */
  presenceUsers(): string[];
  /** What those hear who watch a user; undefined when there is no such user. Rejects with StoreError. */
  presenceOf(username: string): Promise<PresenceView | undefined>;
  /** Ends a subscription by an operator's word: its phone is told. False for an id of none. */
  endSubscription(id: string): boolean;
}
