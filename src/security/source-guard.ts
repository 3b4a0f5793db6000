import { AddressSet, canonicalSource } from '../platform/address-set.js';
import { type Clock, systemClock } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import { header, peerOf } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import type { Store } from '../store/types.js';
import { type Attack, AttackStatistics } from './attack-statistics.js';
import type { AuthObserver } from './authenticator.js';
import { type BanPolicy, OffenceWatch } from './offence-watch.js';
import { isScanner } from './scanners.js';
import { type SourceChange, SourceLists } from './source-lists.js';
import type { Exemption, SourceEntry, SourceListName } from './source-types.js';
import { UnansweredChallenges } from './unanswered-challenges.js';

/** An engine that drops what sources send that are blocked and not excepted, before it is parsed. */
export interface SourceFilter {
  block(change: { readonly blocked?: SourceChange; readonly excepted?: SourceChange }): Promise<void>;
  /** What it dropped of the newest sources. */
  dropped(): Promise<
    readonly { readonly address: string; readonly count: number; readonly lastAt: number }[]
  >;
}

/** Sources that an engine is told of at once. */
const PIECE = 100;
/** Methods of calls that are up; the handlers of none of them ask for a password when there is a To tag. */
const CALL_METHODS = new Set(['BYE', 'INFO', 'INVITE', 'PRACK', 'UPDATE']);

function isWithinCall(req: SrfRequest): boolean {
  // RFC 3261 §17: ACK has no response.
  if (req.method === 'ACK') return true;
  return CALL_METHODS.has(req.method) && /;[ \t]*tag=/i.test(header(req, 'to') ?? '');
}

export interface SourceGuardOptions {
  readonly store: Pick<Store, 'collection'>;
  /** Networks (CIDR) that are never banned by the server itself. */
  readonly trusted: readonly string[];
  readonly policy: BanPolicy;
  /** Told of each ban of the server's own, and when it is over. */
  readonly onBan: (entry: SourceEntry, isInForce: boolean) => void;
  readonly clock?: Clock;
  readonly log: Logger;
}

/**
 * Who is heard. What blocked sources send is dropped by the built-in engine, or refused here when it comes from another one; sources that
 * guess passwords or scan are banned. An address over UDP may be a lie, so only what proves its address counts.
 */
export class SourceGuard implements AuthObserver, Closeable {
  readonly lists: SourceLists;
  readonly statistics: AttackStatistics;
  /** Set once trunks are there: whether calls of one come from an address. */
  isTrunk: (address: string) => boolean = () => false;
  /** The same for some address of a network. */
  hasTrunkIn: (network: string) => boolean = () => false;
  filter: SourceFilter | undefined;
  private readonly watch: OffenceWatch;
  private readonly unanswered: UnansweredChallenges;
  private readonly trusted: AddressSet;
  private readonly clock: Clock;

  constructor(private readonly options: SourceGuardOptions) {
    const { store, trusted, policy, onBan, clock = systemClock, log } = options;
    this.clock = clock;
    this.trusted = new AddressSet(trusted);
    this.watch = new OffenceWatch(policy, clock, (network) => this.hasExemptIn(network));
    this.unanswered = new UnansweredChallenges(clock);
    this.statistics = new AttackStatistics(clock);
    this.lists = new SourceLists({
      store,
      clock,
      log,
      onBan,
      isExempt: (source) => this.isExempt(source),
      onChange: (name, change) => this.tellFilter(name, change),
    });
  }

  /** Tells an engine whom not to hear, from now on at every change. */
  useFilter(filter: SourceFilter): void {
    this.filter = filter;
    for (const name of ['white', 'black'] as const)
      this.tellFilter(name, { add: this.lists.table.sources(name), remove: [] });
  }

  /** Looks at a request before its handler does; true when it was refused. Those within calls are let pass: a call can be ended. */
  screen(req: SrfRequest, res: SrfResponse): boolean {
    const { address, protocol } = peerOf(req);
    if (this.lists.table.isBlocked(address) && !isWithinCall(req)) {
      this.statistics.refuse(address);
      respondOnly(res, 403);
      return true;
    }
    if (isScanner(header(req, 'user-agent'))) this.attacked('scanner', address, protocol !== 'udp');
    return false;
  }

  accepted(address: string): void {
    this.watch.accepted(address);
    this.unanswered.proved(address);
  }

  unauthenticated(address: string, isProven: boolean): void {
    if (this.watch.hasPhones(address)) return;
    const count = this.unanswered.challenged(address, isProven);
    if (count > 0) this.attacked('probe', address, isProven, count);
  }

  guessed(address: string, kind: 'password' | 'name' | 'throttled', isConnected: boolean): void {
    // It answered its challenge: one guess is one offence.
    this.unanswered.answered(address, isConnected);
    this.attacked(kind, address, true);
  }

  /** Bytes that are no SIP came. */
  malformed(address: string, isProven: boolean, count: number): void {
    this.attacked('malformed', address, isProven, count);
  }

  /** Why the server would not ban an address by itself. */
  exemption(address: string): Exemption | undefined {
    if (this.lists.table.has('white', address)) return 'WHITELIST';
    if (this.trusted.has(address)) return 'TRUSTED';
    if (this.isTrunk(address)) return 'TRUNK';
    return this.watch.hasPhones(address) ? 'PHONES' : undefined;
  }

  close(): Promise<void> {
    return this.lists.close();
  }

  /** Whether the server would not ban an address or network by itself. */
  private isExempt(source: string): boolean {
    const [address = '', bits] = source.split('/');
    if (bits === undefined) return this.exemption(address) !== undefined;
    return this.hasExemptIn(source) || this.watch.hasPhones(address);
  }

  private hasExemptIn(network: string): boolean {
    return this.trusted.touches(network) || this.hasTrunkIn(network);
  }

  private attacked(attack: Attack, address: string, isProven: boolean, times = 1): void {
    this.statistics.count(attack, address, times);
    // Nobody is banned twice: requests that were on their way still come.
    if (!isProven || this.exemption(address) || this.lists.table.isBlocked(address)) return;
    const verdict = this.watch.offended(address, times);
    if (!verdict || canonicalSource(verdict.source) === undefined) return;
    const { source, banMs, offences } = verdict;
    const addedAt = this.clock.now();
    const reason = `${offences} offences, the last: ${attack}`;
    this.statistics.bans++;
    this.options.log.warn({ source, attack, offences, banSec: banMs / 1000 }, 'a source is banned');
    const expiresAt = addedAt + banMs;
    this.lists.ban({ source, reason, by: 'server', isAutomatic: true, addedAt, expiresAt });
  }

  /** In pieces: an engine that reads a long list all at once serves nobody meanwhile. */
  private tellFilter(name: SourceListName, { add, remove }: SourceChange): void {
    const pieces = Math.ceil(Math.max(add.length, remove.length) / PIECE);
    for (let i = 0; i < pieces; i++) {
      const part = (list: readonly string[]) => list.slice(i * PIECE, (i + 1) * PIECE);
      this.tellPiece(name, { add: part(add), remove: part(remove) });
    }
  }

  private tellPiece(name: SourceListName, change: SourceChange): void {
    void this.filter
      ?.block(name === 'black' ? { blocked: change } : { excepted: change })
      .catch((error: unknown) =>
        this.options.log.debug({ err: error }, 'the engine was not told whom not to hear'),
      );
  }
}
