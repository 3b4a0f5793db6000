import { createHash } from 'node:crypto';
import type { Clock } from '../../platform/clock.js';
import { keyBytes, MAX_AOR_BYTES, pageSize, wallTimeMs } from '../arguments.js';
import type { BindingStore, Json, StoredBinding } from '../types.js';
import { entryCount } from './embedded-collection.js';
import type { LmdbEnvironment, Table } from './lmdb-environment.js';

/** Expired bindings that one update sweeps away beside its own work. */
const SWEEP_PER_UPDATE = 32;
/** Expired bindings swept in one transaction when a count or list is asked for. */
const SWEEP_CHUNK = 500;
const TIME_BYTES = 6;
const HASH_BYTES = 10;

/** A binding as kept: the value of an address-of-record is the list of its bindings. */
type KeptBinding = { contactKey: string; expiresAt: number; value: Json };

/**
 * Bindings by address-of-record, and an index `time hash aor` with one key a binding that says what to sweep away.
 */
export class EmbeddedBindings implements BindingStore {
  private readonly byAor: Table<KeptBinding[]>;
  private readonly byExpiry: Table<true>;

  constructor(
    private readonly environment: LmdbEnvironment,
    private readonly clock: Clock,
  ) {
    this.byAor = environment.table<KeptBinding[]>('bindings');
    this.byExpiry = environment.table<true>('bindings:expiry');
  }

  async get(aor: string): Promise<StoredBinding[]> {
    const key = keyBytes(aor, MAX_AOR_BYTES);
    return this.environment.read('bindings get', () => this.live(this.byAor.get(key) ?? []));
  }

  async update(aor: string, put: readonly StoredBinding[], removeKeys: readonly string[]): Promise<void> {
    const key = keyBytes(aor, MAX_AOR_BYTES);
    const kept = put.map(({ contactKey, expiresAt, value }) => ({
      contactKey,
      expiresAt: wallTimeMs(expiresAt, 'expiresAt'),
      value,
    }));
    const replaced = new Set([...removeKeys, ...put.map(({ contactKey }) => contactKey)]);
    await this.environment.write('bindings update', () => {
      this.sweep(SWEEP_PER_UPDATE);
      const before = this.byAor.get(key) ?? [];
      const stay = before.filter(({ contactKey }) => !replaced.has(contactKey));
      this.replace(key, before, [...stay, ...kept]);
    });
  }

  async clear(aor: string): Promise<number> {
    const key = keyBytes(aor, MAX_AOR_BYTES);
    return await this.environment.write('bindings clear', () => {
      const before = this.byAor.get(key) ?? [];
      this.replace(key, before, []);
      return this.live(before).length;
    });
  }

  async list(
    options: { after?: string; limit?: number } = {},
  ): Promise<{ aor: string; bindings: StoredBinding[] }[]> {
    const limit = pageSize(options.limit);
    await this.sweepAll();
    const range = {
      limit,
      ...(options.after !== undefined && {
        start: Buffer.concat([Buffer.from(options.after), Buffer.alloc(1)]),
      }),
    };
    return this.environment.read('bindings list', () =>
      Array.from(this.byAor.getRange(range), ({ key, value }) => ({
        aor: key.toString('utf8'),
        bindings: this.live(value),
      })).filter(({ bindings }) => bindings.length > 0),
    );
  }

  async count(): Promise<{ aors: number; bindings: number }> {
    await this.sweepAll();
    return this.environment.read('bindings count', () => ({
      aors: entryCount(this.byAor as Table<never>),
      bindings: entryCount(this.byExpiry as Table<never>),
    }));
  }

  private live(bindings: readonly KeptBinding[]): StoredBinding[] {
    const now = this.clock.now();
    return bindings.filter(({ expiresAt }) => expiresAt > now);
  }

  /** Within a transaction: writes the bindings of one address-of-record and its keys in the index. */
  private replace(key: Buffer, before: readonly KeptBinding[], after: readonly KeptBinding[]): void {
    for (const binding of before) void this.byExpiry.remove(expiryKey(key, binding));
    for (const binding of after) void this.byExpiry.put(expiryKey(key, binding), true);
    if (after.length > 0) void this.byAor.put(key, [...after]);
    else void this.byAor.remove(key);
  }

  private async sweepAll(): Promise<void> {
    while (this.hasExpired()) await this.environment.write('bindings sweep', () => this.sweep(SWEEP_CHUNK));
  }

  private hasExpired(): boolean {
    return this.environment.read('bindings sweep', () => this.expiredKeys(1).length > 0);
  }

  /** Within a transaction: removes expired bindings, at most about `limit`. */
  private sweep(limit: number): void {
    for (const expired of this.expiredKeys(limit)) {
      const key = Buffer.from(expired.subarray(TIME_BYTES + HASH_BYTES));
      const before = this.byAor.get(key) ?? [];
      this.replace(key, before, this.live(before) as KeptBinding[]);
      void this.byExpiry.remove(expired);
    }
  }

  private expiredKeys(limit: number): Buffer[] {
    const end = Buffer.alloc(TIME_BYTES);
    end.writeUIntBE(Math.floor(this.clock.now()) + 1, 0, TIME_BYTES);
    return Array.from(this.byExpiry.getKeys({ end, limit }), (key) => Buffer.from(key));
  }
}

/** Key of a binding in the index: 6 bytes of time, a hash of the contact, the address-of-record. */
function expiryKey(aorKey: Buffer, binding: KeptBinding): Buffer {
  const head = Buffer.alloc(TIME_BYTES);
  head.writeUIntBE(binding.expiresAt, 0, TIME_BYTES);
  const hash = createHash('sha256').update(binding.contactKey).digest().subarray(0, HASH_BYTES);
  return Buffer.concat([head, hash, aorKey]);
}
