import { AddressSet } from '../platform/address-set.js';
import type { Clock, TimerHandle } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import type { OutsideRoute } from '../routing/outside-types.js';
import type { Collection, Json, Store } from '../store/types.js';
import { fitOf, networkOf, parsePeer, parseSource, type Source } from './sources.js';
import { TRUNK_DEFAULTS } from './trunk-rules.js';
import type { Trunk } from './types.js';

/** A change made by another server on the same Store is seen after this at the latest. */
const REFRESH_MS = 3000;
const PAGE = 500;

/** Every trunk and route in memory: each INVITE asks for them. Read anew now and then; as last seen while the Store is away. */
export class TrunkTable {
  /** Where calls of active trunks come from, at whatever port. */
  places = new AddressSet();
  private trunks = new Map<string, Trunk>();
  private sources: readonly { readonly trunk: Trunk; readonly source: Source }[] = [];
  private inUsers = new Map<string, Trunk>();
  private routeList: readonly OutsideRoute[] = [];
  private text = '';
  /** Looks at the Store begun so far, and the latest that was taken over. */
  private reads = 0;
  private lastRead = 0;
  private timer: TimerHandle | undefined;
  private isClosed = false;
  private isAway = false;
  private readonly trunkStore: Collection;
  private readonly routeStore: Collection;

  /** `onChange` is called whenever trunks may be others than before. */
  constructor(
    store: Pick<Store, 'collection'>,
    private readonly clock: Clock,
    private readonly log: Logger,
    private readonly onChange: () => void,
  ) {
    this.trunkStore = store.collection('trunks');
    this.routeStore = store.collection('routes');
  }

  /** Reads everything, and again from time to time until `close`. Never rejects. */
  async start(): Promise<void> {
    await this.look();
  }

  close(): void {
    this.isClosed = true;
    this.clock.clearTimeout(this.timer);
  }

  get(name: string): Trunk | undefined {
    return this.trunks.get(name);
  }

  list(): Trunk[] {
    return [...this.trunks.values()];
  }

  routes(): readonly OutsideRoute[] {
    return this.routeList;
  }

  /** The active trunk whose calls come from there, that which names it most narrowly. */
  at(address: string, port: number): Trunk | undefined {
    return this.best(address, () => port);
  }

  /** The same for somebody whose port is not known. */
  atAnyPort(address: string): Trunk | undefined {
    return this.best(address, (source) => source.port ?? 0);
  }

  private best(address: string, portFor: (source: Source) => number): Trunk | undefined {
    const peer = this.sources.length === 0 ? undefined : parsePeer(address);
    if (!peer) return undefined;
    let best: Trunk | undefined;
    let bestFit = -1;
    for (const { trunk, source } of this.sources) {
      const found = fitOf(source, peer, portFor(source));
      if (found > bestFit) [best, bestFit] = [trunk, found];
    }
    return best;
  }

  /** Whether any trunk answers challenges. */
  get hasInUsers(): boolean {
    return this.inUsers.size > 0;
  }

  /** The active trunk that answers challenges by that name. */
  byInUsername(username: string): Trunk | undefined {
    return this.inUsers.get(username);
  }

  /** Writes and takes over at once. Resolves whether it was written, as the Store's `put`. */
  async putTrunk(trunk: Trunk, mode: 'create' | 'update'): Promise<boolean> {
    const done = await this.trunkStore.put(trunk.name, trunk as unknown as Json, mode);
    await this.read();
    return done;
  }

  async removeTrunk(name: string): Promise<boolean> {
    const done = await this.trunkStore.remove(name);
    await this.read();
    return done;
  }

  async putRoute(route: OutsideRoute, mode: 'create' | 'update'): Promise<boolean> {
    const done = await this.routeStore.put(route.name, route as unknown as Json, mode);
    await this.read();
    return done;
  }

  async removeRoute(name: string): Promise<boolean> {
    const done = await this.routeStore.remove(name);
    await this.read();
    return done;
  }

  private async look(): Promise<void> {
    try {
      await this.read();
      this.isAway = false;
    } catch (error) {
      if (!this.isAway) this.log.warn({ err: error }, 'trunks cannot be read, the last known ones serve');
      this.isAway = true;
    }
    if (!this.isClosed) this.timer = this.clock.setTimeout(() => void this.look(), REFRESH_MS);
  }

  private async read(): Promise<void> {
    const turn = ++this.reads;
    const trunks = (await all(this.trunkStore)) as unknown as Trunk[];
    const routes = (await all(this.routeStore)) as unknown as OutsideRoute[];
    // One that began later has seen more.
    if (turn < this.lastRead) return;
    this.lastRead = turn;
    this.routeList = routes;
    const text = JSON.stringify(trunks);
    if (text === this.text) return;
    this.text = text;
    // Fields that came later than the entry have their default.
    const full = trunks.map((trunk) => ({ ...TRUNK_DEFAULTS, ...trunk }));
    this.trunks = new Map(full.map((trunk) => [trunk.name, trunk]));
    const active = full.filter(({ status }) => status === 'ACTIVE');
    this.sources = active.flatMap((trunk) =>
      trunk.sources.flatMap((text) => {
        const source = parseSource(text);
        return source ? [{ trunk, source }] : [];
      }),
    );
    this.places = new AddressSet(this.sources.map(({ source }) => networkOf(source)));
    const named = active.filter(({ inUsername }) => inUsername !== '');
    this.inUsers = new Map(named.map((trunk) => [trunk.inUsername, trunk]));
    this.onChange();
  }
}

async function all(collection: Collection): Promise<Json[]> {
  const values: Json[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await collection.list({ limit: PAGE, ...(after !== undefined && { after }) });
    values.push(...page.map(({ value }) => value));
    after = page.at(-1)?.key;
    if (page.length < PAGE) return values;
  }
}
