import { AddressSet } from '../../platform/address-set.js';
import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import { sourceKey } from './source-key.js';

/** How much of one source is taken. A source is an IPv4 address or an IPv6 /64. */
export interface AdmissionSettings {
  /** Messages a second that a source may send for ever; 0 takes everything from everyone. */
  readonly ratePerSec: number;
  /** Messages a source may send at once before the rate counts. */
  readonly burst: number;
  /** Networks (CIDR) that are never limited: this machine, trunks, load testers. */
  readonly trusted: readonly string[];
}

/** Two hundred phones behind one NAT that all come back at once stay far below. */
export const DEFAULT_ADMISSION: AdmissionSettings = {
  ratePerSec: 1000,
  burst: 5000,
  trusted: ['127.0.0.0/8', '::1/128'],
};

/** Sources remembered at once: twice this. One that is forgotten has its whole burst again. */
export const SOURCES_PER_GENERATION = 16_384;
/** Between two log lines, whatever the number of sources. Milliseconds. */
const LOG_INTERVAL_MS = 10_000;

interface Bucket {
  /** Below zero for a source that owes: streams are charged after they were read. */
  tokens: number;
  atMs: number;
}

export interface AdmissionCounters {
  admissionDropped: number;
  admissionPauses: number;
}

/**
 * A token bucket for each source, asked before a byte is parsed. Two generations of buckets bound its memory without
 * a timer: when the young one is full the old one is dropped. An address over UDP may be a lie, so this bounds what one
 * liar costs, and never who may register: nobody is banned, and a source that calms down is heard again at once.
 */
export class SourceAdmission {
  private young = new Map<string, Bucket>();
  private old = new Map<string, Bucket>();
  private readonly trusted: AddressSet;
  private loggedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly settings: AdmissionSettings,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly counters: AdmissionCounters,
    private readonly generationSize = SOURCES_PER_GENERATION,
  ) {
    this.trusted = new AddressSet(settings.trusted);
  }

  /** Sources remembered now. */
  get sourceCount(): number {
    return this.young.size + this.old.size;
  }

  /** Takes one message off what the source may send; false, and counted, when it has sent its share. */
  admits(address: string): boolean {
    const bucket = this.bucketOf(address);
    if (bucket.tokens < 1) {
      this.counters.admissionDropped++;
      this.tell(address);
      return false;
    }
    bucket.tokens--;
    return true;
  }

  /** Takes messages that were read already; how long the source is to be left unread then, 0 for not at all. Milliseconds. */
  charge(address: string, messages: number): number {
    const bucket = this.bucketOf(address);
    bucket.tokens -= messages;
    if (bucket.tokens >= 0) return 0;
    this.counters.admissionPauses++;
    this.tell(address);
    return Math.ceil((-bucket.tokens / this.settings.ratePerSec) * 1000);
  }

  private bucketOf(address: string): Bucket {
    const key = sourceKey(address);
    const nowMs = this.clock.monotonic();
    const bucket = this.young.get(key) ?? this.keep(key, this.old.get(key) ?? this.newBucket(address, nowMs));
    const { ratePerSec, burst } = this.settings;
    const tokens = bucket.tokens + ((nowMs - bucket.atMs) * ratePerSec) / 1000;
    // A trusted source has tokens without end.
    if (bucket.tokens < burst) bucket.tokens = Math.min(tokens, burst);
    bucket.atMs = nowMs;
    return bucket;
  }

  private keep(key: string, bucket: Bucket): Bucket {
    if (this.young.size >= this.generationSize) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(key, bucket);
    this.old.delete(key);
    return bucket;
  }

  private newBucket(address: string, atMs: number): Bucket {
    return { tokens: this.isTrusted(address) ? Number.POSITIVE_INFINITY : this.settings.burst, atMs };
  }

  /** Whether an address is never limited. */
  isTrusted(address: string): boolean {
    return this.trusted.has(address);
  }

  /** An operator who wonders why a peer is not heard finds it in the log. */
  private tell(address: string): void {
    const nowMs = this.clock.monotonic();
    if (nowMs - this.loggedMs < LOG_INTERVAL_MS) return;
    this.loggedMs = nowMs;
    const { admissionDropped, admissionPauses } = this.counters;
    this.log.warn(
      { address, admissionDropped, admissionPauses },
      'a source sends more than SIP_SOURCE_RATE lets it',
    );
  }
}
