import { AddressSet, canonicalSource } from '../../platform/address-set.js';
import type { Clock } from '../../platform/clock.js';
import { AppError } from '../../platform/errors.js';

/** An address to be blocked is none. */
export class BlockedSourceError extends AppError {
  constructor(text: string) {
    super('ENGINE_BLOCKED_SOURCE', `${text}: an IP address or a network such as 192.0.2.0/24 is expected`);
  }
}

/** Which sources are not heard: those of `blocked` that are not in `excepted`. IP addresses and networks (CIDR). */
export interface SourceRules {
  readonly blocked: readonly string[];
  readonly excepted: readonly string[];
}

/** What was dropped of one source. */
export interface DroppedSource {
  readonly address: string;
  /** Datagrams and connections. */
  readonly count: number;
  /** Wall milliseconds. */
  readonly lastAt: number;
}

/** Sources whose drops are counted; beyond, the one that was silent longest is forgotten. */
const MAX_COUNTED = 1000;

/** Sources that are not heard: what they send gets no answer. Asked for every datagram: while nobody is blocked that is one test. */
export class BlockedSources {
  private blocked: AddressSet;
  private excepted = new AddressSet();
  private readonly dropped = new Map<string, { count: number; lastAt: number }>();

  /** IP addresses and networks (CIDR); throws BlockedSourceError. */
  constructor(
    private readonly clock: Clock,
    sources: readonly string[] = [],
  ) {
    this.blocked = toSet(sources);
  }

  /** Puts other rules in the place of those before; throws BlockedSourceError, those before then stay. */
  replace({ blocked, excepted }: SourceRules): void {
    const [next, exceptions] = [toSet(blocked), toSet(excepted)];
    this.blocked = next;
    this.excepted = exceptions;
  }

  has(address: string): boolean {
    return !this.blocked.isEmpty && this.blocked.has(address) && !this.excepted.has(address);
  }

  /** The same for something that came, which is counted when it is to be dropped. */
  drops(address: string): boolean {
    if (this.blocked.isEmpty || !this.has(address)) return false;
    const count = (this.dropped.get(address)?.count ?? 0) + 1;
    this.dropped.delete(address);
    this.dropped.set(address, { count, lastAt: this.clock.now() });
    if (this.dropped.size > MAX_COUNTED) this.dropped.delete(this.dropped.keys().next().value!);
    return true;
  }

  /** What was dropped of the newest sources. */
  counts(): DroppedSource[] {
    return [...this.dropped].map(([address, facts]) => ({ address, ...facts }));
  }
}

function toSet(sources: readonly string[]): AddressSet {
  for (const source of sources)
    if (canonicalSource(source) === undefined) throw new BlockedSourceError(source);
  return new AddressSet(sources);
}
