import { type Clock, systemClock } from '../platform/clock.js';
import { withDeadline } from '../platform/deadline.js';
import type { BindingStore } from '../store/types.js';
import { BindingsUnavailableError } from './errors.js';
import { fromStored, toStored } from './stored-binding.js';
import type { BindingUpdate, KeyedBinding } from './working-set.js';

/** A call waits no longer for the Store than this; then the last known state serves. */
const READ_TIMEOUT_MS = 250;
const WRITE_TIMEOUT_MS = 2000;
/** Addresses whose bindings are remembered; the least recently seen go first. */
const MAX_KNOWN = 50_000;

/** Bindings in the Store, with the last known state of each address for when the Store is away. */
export class BindingTable {
  private readonly clock: Clock;
  /** Last known bindings by address, least recently seen first. */
  private readonly known = new Map<string, readonly KeyedBinding[]>();

  constructor(
    private readonly store: BindingStore,
    clock?: Clock,
  ) {
    this.clock = clock ?? systemClock;
  }

  /** Live bindings from the Store. Rejects when it is away. */
  async read(aor: string): Promise<readonly KeyedBinding[]> {
    const stored = await withDeadline(this.store.get(aor), READ_TIMEOUT_MS, 'reading bindings');
    const items = stored.flatMap((item) => fromStored(aor, item) ?? []);
    this.learn(aor, items);
    return this.live(items);
  }

  /** As `read`, or the last known state; rejects with BindingsUnavailableError when there is neither. */
  async readOrRecall(aor: string): Promise<readonly KeyedBinding[]> {
    try {
      return await this.read(aor);
    } catch (error) {
      const items = this.known.get(aor);
      if (!items) throw new BindingsUnavailableError(error);
      return this.live(items);
    }
  }

  /** Writes what a REGISTER does as one step. Rejects when the Store did not take it in time. */
  async write(aor: string, update: BindingUpdate): Promise<void> {
    if (update.put.length > 0 || update.removeKeys.length > 0) {
      const work = this.store.update(aor, update.put.map(toStored), update.removeKeys);
      await withDeadline(work, WRITE_TIMEOUT_MS, 'writing bindings');
    }
    this.learn(aor, update.result);
  }

  /** Removes all bindings of an address; resolves how many there were. */
  async clear(aor: string): Promise<number> {
    const count = await withDeadline(this.store.clear(aor), WRITE_TIMEOUT_MS, 'removing bindings');
    this.known.delete(aor);
    return count;
  }

  /** Bindings that were known and whose time is over, forgotten by this call. */
  takeExpired(): { aor: string; expired: readonly KeyedBinding[] }[] {
    const now = this.clock.now();
    const result: { aor: string; expired: readonly KeyedBinding[] }[] = [];
    for (const [aor, items] of this.known) {
      const expired = items.filter((item) => item.binding.expiresAt <= now);
      if (expired.length === 0) continue;
      result.push({ aor, expired });
      const rest = items.filter((item) => item.binding.expiresAt > now);
      if (rest.length > 0) this.known.set(aor, rest);
      else this.known.delete(aor);
    }
    return result;
  }

  private live(items: readonly KeyedBinding[]): readonly KeyedBinding[] {
    const now = this.clock.now();
    return items.filter((item) => item.binding.expiresAt > now);
  }

  private learn(aor: string, items: readonly KeyedBinding[]): void {
    this.known.delete(aor);
    // An address without bindings is worth remembering too: 480 and not 503 while the Store is away.
    this.known.set(aor, items);
    if (this.known.size <= MAX_KNOWN) return;
    const oldest = this.known.keys().next();
    if (!oldest.done) this.known.delete(oldest.value);
  }
}
