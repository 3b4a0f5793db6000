import { AddressSet, canonicalSource } from '../../platform/address-set.js';
import type { Clock } from '../../platform/clock.js';
import { AppError } from '../../platform/errors.js';

/** An address to be blocked is none. */
export class BlockedSourceError extends AppError {
  constructor(text: string) {
    super('ENGINE_BLOCKED_SOURCE', `${text}: an IP address or a network such as 192.0.2.0/24 is expected`);
  }
}

/** IP addresses and networks (CIDR) that come and go. */
export interface SourceChange {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** A change of who is not heard: those that are `blocked` and not `excepted`. */
export interface BlockChange {
  readonly blocked?: SourceChange;
  readonly excepted?: SourceChange;
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
  private readonly blocked: AddressSet;
  private readonly excepted = new AddressSet();
  private readonly dropped = new Map<string, { count: number; lastAt: number }>();

  /** IP addresses and networks (CIDR); throws BlockedSourceError. */
  constructor(
    private readonly clock: Clock,
    sources: readonly string[] = [],
  ) {
    sources.forEach(check);
    this.blocked = new AddressSet(sources);
  }

  /** Throws BlockedSourceError when something of it is no address, nothing being changed then. */
  change({ blocked, excepted }: BlockChange): void {
    for (const part of [blocked, excepted]) [...(part?.add ?? []), ...(part?.remove ?? [])].forEach(check);
    apply(this.blocked, blocked);
    apply(this.excepted, excepted);
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

function check(source: string): void {
  if (canonicalSource(source) === undefined) throw new BlockedSourceError(source);
}

function apply(set: AddressSet, change: SourceChange | undefined): void {
  for (const source of change?.remove ?? []) set.delete(source);
  for (const source of change?.add ?? []) set.add(source);
}
