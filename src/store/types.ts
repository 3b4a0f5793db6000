/** A value as the Store keeps it: plain JSON. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** Collections of small named values, each a namespace of its own. */
export const COLLECTION_NAMES = [
  'users',
  'operators',
  'cmdgroups',
  'trunks',
  'routes',
  'groups',
  'numbers',
  'settings',
  'messages',
  'conferences',
  'blacklist',
  'whitelist',
  'tasks',
  'alarms',
  'relays',
] as const;
export type CollectionName = (typeof COLLECTION_NAMES)[number];

/**
 * Small values by key: subscribers, operators, trunks, settings. Keys are any UTF-8 text of 1..255 bytes.
 * Every method rejects with StoreError (code STORE_UNAVAILABLE) when the Store is away.
 */
export interface Collection {
  get(key: string): Promise<Json | undefined>;
  /** Writes; with `create` only when the key is free, with `update` only when it exists. Resolves whether it wrote. */
  put(key: string, value: Json, mode?: 'create' | 'update'): Promise<boolean>;
  /** Resolves whether the key was there. */
  remove(key: string): Promise<boolean>;
  /** Entries in key order (bytewise), after `after`, at most `limit` (1..1000, default 100). */
  list(options?: {
    prefix?: string;
    after?: string;
    limit?: number;
  }): Promise<{ key: string; value: Json }[]>;
  count(): Promise<number>;
}

/** One stored contact binding (RFC 3261 §10.3). `contactKey` tells bindings of one AOR apart. */
export interface StoredBinding {
  readonly contactKey: string;
  /** Wall time, milliseconds. */
  readonly expiresAt: number;
  readonly value: Json;
}

/** Bindings by address-of-record. Expired ones are never returned and are swept away. */
export interface BindingStore {
  get(aor: string): Promise<StoredBinding[]>;
  /** Writes and removes bindings of one AOR as one step. */
  update(aor: string, put: readonly StoredBinding[], removeKeys: readonly string[]): Promise<void>;
  /** Removes all of an AOR; resolves how many there were. */
  clear(aor: string): Promise<number>;
  /** AORs with live bindings in order, after `after`, at most `limit` (default 100). */
  list(options?: { after?: string; limit?: number }): Promise<{ aor: string; bindings: StoredBinding[] }[]>;
  /** Live AORs and bindings. */
  count(): Promise<{ aors: number; bindings: number }>;
}

/** A finished record with what it can be found by. The id is a ULID and the idempotency key. */
export interface RecordEntry {
  readonly id: string;
  /** Start, wall milliseconds: the order of queries. */
  readonly time: number;
  readonly type: string;
  readonly result: string;
  readonly caller: string;
  readonly callee: string;
  readonly body: Json;
}

export interface RecordQuery {
  /** Start time from (inclusive) and to (exclusive), wall milliseconds. */
  readonly from?: number;
  readonly to?: number;
  readonly type?: string;
  readonly result?: string;
  /** Matches caller or callee, exactly. */
  readonly number?: string;
  readonly caller?: string;
  readonly callee?: string;
  /** Newest first unless `asc`. */
  readonly order?: 'asc' | 'desc';
  /** 1..1000, default 100. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface RecordPage {
  readonly records: RecordEntry[];
  /** Absent on the last page. */
  readonly next?: string;
}

export interface RecordStore {
  /** Writes entries; one whose id is known already is left as it is. */
  append(entries: readonly RecordEntry[]): Promise<void>;
  get(id: string): Promise<RecordEntry | undefined>;
  query(query: RecordQuery): Promise<RecordPage>;
  count(): Promise<number>;
  /** Removes records that started before `time`; resolves how many. */
  removeBefore(time: number): Promise<number>;
}

/** Everything that outlives the process, save the journal. Two implementations, one contract test. */
export interface Store {
  /** For people: `lmdb ./data/store` or `redis localhost:6379/0`; no secret in it. */
  readonly description: string;
  collection(name: CollectionName): Collection;
  readonly bindings: BindingStore;
  readonly records: RecordStore;
  /** Resolves when the Store answers; rejects with StoreError when it does not. */
  ping(): Promise<void>;
  /** Whether the Store answered last. While a Redis is away calls reject at once. */
  readonly alive: boolean;
  /** Tells each change of `alive` from now on; returns what unsubscribes. */
  onAvailability(listener: (alive: boolean) => void): () => void;
  close(): Promise<void>;
}
