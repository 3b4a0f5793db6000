import { type Clock, systemClock, type TimerHandle } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import type { BindingStore } from '../store/types.js';
import type { BindingTable } from './binding-table.js';
import { readInstanceKey } from './instance.js';
import type { RegistrationObserver } from './registration-events.js';
import { fromStored } from './stored-binding.js';
import type { Binding, RegistrationService } from './types.js';
import type { KeyedBinding } from './working-set.js';

/** How often bindings are looked over for those whose time is up; only what is told of them waits for it. */
const SWEEP_INTERVAL_MS = 10_000;

export interface DirectoryOptions {
  readonly realm: string;
  readonly store: BindingStore;
  readonly table: BindingTable;
  readonly observer: RegistrationObserver;
  readonly clock?: Clock;
  readonly log: Logger;
}

/** Where users are, for call control and consoles; tells when bindings run out. */
export class RegistrationDirectory implements RegistrationService, Closeable {
  private readonly clock: Clock;
  private timer: TimerHandle | undefined;
  private isClosed = false;
  private sweeping: Promise<void> = Promise.resolve();

  constructor(private readonly options: DirectoryOptions) {
    this.clock = options.clock ?? systemClock;
    this.schedule();
  }

  aorOf(username: string): string {
    return `${username}@${this.options.realm}`;
  }

  async bindings(username: string): Promise<Binding[]> {
    const items = await this.options.table.readOrRecall(this.aorOf(username));
    return inOrder(oneOfEach(items).map((item) => item.binding));
  }

  async list(
    options: { after?: string; limit?: number } = {},
  ): Promise<{ username: string; bindings: Binding[] }[]> {
    const page = await this.options.store.list({
      ...(options.after === undefined ? {} : { after: this.aorOf(options.after) }),
      ...(options.limit === undefined ? {} : { limit: options.limit }),
    });
    return page.map(({ aor, bindings }) => ({
      username: usernameOf(aor),
      bindings: inOrder(bindings.flatMap((stored) => fromStored(aor, stored)?.binding ?? [])),
    }));
  }

  async count(): Promise<{ users: number; bindings: number }> {
    const { aors, bindings } = await this.options.store.count();
    return { users: aors, bindings };
  }

  async remove(username: string): Promise<number> {
    const aor = this.aorOf(username);
    const items = await this.options.table.read(aor);
    const count = await this.options.table.clear(aor);
    for (const { binding } of items) this.options.observer({ kind: 'removed', username, binding });
    return count;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.clock.clearTimeout(this.timer);
    await this.sweeping;
  }

  private schedule(): void {
    if (this.isClosed) return;
    this.timer = this.clock.setTimeout(() => {
      this.sweeping = this.sweep().finally(() => this.schedule());
    }, SWEEP_INTERVAL_MS);
  }

  /** Tells of bindings that ran out, unless another process on this Store refreshed them. Never rejects. */
  private async sweep(): Promise<void> {
    const { table, observer, log } = this.options;
    for (const { aor, expired } of table.takeExpired()) {
      if (this.isClosed) return;
      const live = await table.read(aor).catch(() => []);
      for (const { key, binding } of expired) {
        if (live.some((item) => item.key === key)) continue;
        log.info({ username: usernameOf(aor), contact: binding.contact }, 'registration expired');
        observer({ kind: 'expired', username: usernameOf(aor), binding });
      }
    }
  }
}

/** `user` of `user@realm`. */
function usernameOf(aor: string): string {
  const at = aor.lastIndexOf('@');
  return at < 0 ? aor : aor.slice(0, at);
}

/** RFC 5626 §7: of the flows of one phone a call takes one alone, the one that registered last. */
function oneOfEach(items: readonly KeyedBinding[]): KeyedBinding[] {
  const byPhone = new Map<string, KeyedBinding>();
  for (const item of items) {
    const phone = item.instance === undefined ? item.key : readInstanceKey(item.instance).id;
    const other = byPhone.get(phone);
    if (!other || other.binding.expiresAt < item.binding.expiresAt) byPhone.set(phone, item);
  }
  return [...byPhone.values()];
}

function inOrder(bindings: Binding[]): Binding[] {
  return bindings.sort((a, b) => b.q - a.q || b.registeredAt - a.registeredAt);
}
