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
