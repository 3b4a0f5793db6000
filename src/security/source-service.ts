import { AddressSet, canonicalSource } from '../platform/address-set.js';
import { noAttacks } from './attack-statistics.js';
import { MAX_REASON } from './limits.js';
import type { SourceGuard } from './source-guard.js';
import { SourceListError } from './source-list-error.js';
import type {
  AttackReport,
  AttackSource,
  Exemption,
  ImportedSources,
  SourceEntry,
  SourceInput,
  SourceListName,
  SourceService,
} from './source-types.js';

/** What consoles do with black list, white list and attacks. */
export class GuardService implements SourceService {
  constructor(private readonly guard: SourceGuard) {}

  list(name: SourceListName): readonly SourceEntry[] {
    const entries = this.guard.lists.table.entries(name);
    const keys = new Map(entries.map((entry) => [entry, inOrder(entry.source)]));
    return entries.sort((x, y) => (keys.get(x)! < keys.get(y)! ? -1 : 1));
  }

  touching(name: SourceListName, given: string): readonly SourceEntry[] {
    const source = mustBeSource(given);
    const network = new AddressSet([source]);
    const around = networksAround(baseOf(source));
    return this.list(name).filter((entry) => around.has(entry.source) || network.has(baseOf(entry.source)));
  }

  async add(name: SourceListName, source: string, input: SourceInput): Promise<SourceEntry> {
    const canonical = mustBeSource(source);
    checkReason(input.reason);
    await this.guard.lists.add(name, [canonical], input);
    return this.guard.lists.table.get(name, canonical)!;
  }

  remove(name: SourceListName, source: string): Promise<void> {
    return this.guard.lists.remove(name, mustBeSource(source));
  }

  async import(name: SourceListName, text: string, input: SourceInput): Promise<ImportedSources> {
    checkReason(input.reason);
    const { table } = this.guard.lists;
    const faults: { line: number; message: string }[] = [];
    const wanted = new Set<string>();
    let known = 0;
    for (const [index, content] of text.split(/\r?\n/).entries()) {
      const given = content.split('#', 1)[0]!.trim();
      if (given === '') continue;
      const source = canonicalSource(given);
      if (source === undefined) faults.push({ line: index + 1, message: notASource(given.slice(0, 64)) });
      else if (wanted.has(source) || table.get(name, source)?.isAutomatic === false) known++;
      else wanted.add(source);
    }
    if (wanted.size > 0) await this.guard.lists.add(name, [...wanted], input);
    return { added: wanted.size, known, faults };
  }

  exemption(source: string): Exemption | undefined {
    return this.guard.exemption(baseOf(mustBeSource(source)));
  }

  async attacks(): Promise<AttackReport> {
    const { statistics, lists, filter } = this.guard;
    const drops = (await filter?.dropped().catch(() => [])) ?? [];
    const sources = new Map<string, AttackSource>();
    for (const [address, { counts, refused: dropped, firstAt, lastAt }] of statistics.sources())
      sources.set(address, { address, counts, dropped, firstAt, lastAt, state: this.stateOf(address) });
    for (const { address, count, lastAt } of drops) {
      const known = sources.get(address);
      const { counts = noAttacks(), dropped = 0, firstAt = lastAt } = known ?? {};
      const last = Math.max(lastAt, known?.lastAt ?? 0);
      const state = this.stateOf(address);
      sources.set(address, { address, counts, dropped: dropped + count, firstAt, lastAt: last, state });
    }
    return {
      since: statistics.since,
      totals: statistics.totals,
      dropped: statistics.refused + drops.reduce((sum, { count }) => sum + count, 0),
      bans: statistics.bans,
      banned: lists.table.bans,
      sources: [...sources.values()].sort((x, y) => y.lastAt - x.lastAt),
    };
  }

  private stateOf(address: string): AttackSource['state'] {
    if (this.guard.lists.table.isBlocked(address)) return 'BANNED';
    return this.guard.exemption(address) ?? 'HEARD';
  }
}

const baseOf = (source: string): string => source.split('/', 1)[0]!;

/** Every network that an address is in. */
function networksAround(address: string): Set<string | undefined> {
  const width = address.includes(':') ? 128 : 32;
  return new Set(Array.from({ length: width + 1 }, (_, bits) => canonicalSource(`${address}/${bits}`)));
}

function mustBeSource(given: string): string {
  const source = canonicalSource(given);
  if (source === undefined) throw new SourceListError('FIELD_INVALID', notASource(given.slice(0, 64)));
  return source;
}

const notASource = (given: string): string =>
  `${given} is no address or network such as 192.0.2.7 or 192.0.2.0/24`;

function checkReason(reason: string): void {
  if (reason.length > MAX_REASON || /[\u0000-\u001f\u007f]/.test(reason))
    throw new SourceListError('FIELD_INVALID', `a reason is one line of at most ${MAX_REASON} characters`);
}

/** IPv4 before IPv6, each by number: parts padded. */
function inOrder(source: string): string {
  return source.includes(':') ? `z${source}` : source.replace(/\d+/g, (part) => part.padStart(3, '0'));
}
