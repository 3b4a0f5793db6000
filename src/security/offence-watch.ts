import { canonicalSource } from '../platform/address-set.js';
import { type Clock, systemClock } from '../platform/clock.js';
import { FailureCounter } from './failure-counter.js';
import { MAX_OFFENDERS, MAX_REMEMBERED } from './limits.js';

/** When a source is banned, read each time. */
export interface BanPolicy {
  /** Offences within the window; 0: nobody is banned. */
  readonly after: number;
  readonly windowSec: number;
  /** Length of a first ban; each further one within a day of the end of the last is twice as long, up to a day. */
  readonly banSec: number;
  /** The longest registration: phones show their password again before it is over. */
  readonly registrationSec: number;
}

export const DEFAULT_BAN_POLICY: BanPolicy = {
  after: 30,
  windowSec: 300,
  banSec: 600,
  registrationSec: 3600,
};

/** So long at least a source counts as one that phones of ours are behind after a right password. */
const PHONES_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How long a source is to be banned, and why. */
export interface Verdict {
  /** An IPv4 address; the /64 of an IPv6 address, or that address alone where somebody in the /64 is never banned. */
  readonly source: string;
  readonly banMs: number;
  readonly offences: number;
}

/** Counts offences of each source whose address is proven, and says when it is to be banned. */
export class OffenceWatch {
  private readonly offences: FailureCounter;
  /** When a subscriber last proved itself from there, monotonic milliseconds. */
  private readonly phones = new Map<string, number>();
  /** Bans so far, and when the last of them ends, monotonic milliseconds. */
  private readonly former = new Map<string, { readonly bans: number; readonly endsAt: number }>();

  /** `isMixed` says whether somebody in an IPv6 /64 is never banned: its other addresses are counted and banned one by one. */
  constructor(
    private readonly policy: BanPolicy = DEFAULT_BAN_POLICY,
    private readonly clock: Clock = systemClock,
    private readonly isMixed: (network: string) => boolean = () => false,
  ) {
    const limits = {
      get limit() {
        return policy.after;
      },
      get windowMs() {
        return policy.windowSec * 1000;
      },
      maxKeys: MAX_OFFENDERS,
      clock,
    };
    this.offences = new FailureCounter(limits);
  }

  /** A subscriber proved itself from there. */
  accepted(address: string): void {
    remember(this.phones, sourceOf(address), this.clock.monotonic());
  }

  /** Whether a subscriber proved itself from there lately: a whole office may sit behind one address. */
  hasPhones(address: string): boolean {
    const at = this.phones.get(sourceOf(address));
    const forMs = Math.max(PHONES_MS, this.policy.registrationSec * 1000);
    return at !== undefined && this.clock.monotonic() - at < forMs;
  }

  /** Counts offences; a verdict when it is enough. The count begins anew then. */
  offended(address: string, times = 1): Verdict | undefined {
    const { after, banSec } = this.policy;
    if (after === 0) return undefined;
    const source = this.bannedWith(address);
    for (let i = 0; i < Math.min(times, after); i++) this.offences.fail(source);
    if (!this.offences.isOver(source)) return undefined;
    this.offences.reset(source);
    const nowMs = this.clock.monotonic();
    const former = this.former.get(source);
    const bans = former && nowMs - former.endsAt < DAY_MS ? former.bans : 0;
    const firstMs = banSec * 1000;
    const banMs = Math.max(firstMs, Math.min(firstMs * 2 ** bans, DAY_MS));
    remember(this.former, source, { bans: bans + 1, endsAt: nowMs + banMs });
    return { source, banMs, offences: after };
  }

  private bannedWith(address: string): string {
    const source = sourceOf(address);
    return source.includes('/') && this.isMixed(source) ? (canonicalSource(address) ?? address) : source;
  }
}

/** What a ban of an address is for: of IPv6 the /64, which one subscriber has whole (RFC 6177 §2). */
function sourceOf(address: string): string {
  if (!address.includes(':')) return address;
  const canonical = canonicalSource(address) ?? address;
  return canonical.includes(':') ? (canonicalSource(`${canonical}/64`) ?? address) : canonical;
}

/** Newest last; the oldest give way. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  if (map.size > MAX_REMEMBERED) map.delete(map.keys().next().value!);
}
