import type { Attack } from './attack-statistics.js';

/** `black`: not heard. `white`: goes before it, and is never banned by the server itself. */
export type SourceListName = 'black' | 'white';

/** One address or network of a list. Times are wall milliseconds. */
export interface SourceEntry {
  /** As `canonicalSource` writes it. */
  readonly source: string;
  readonly reason: string;
  /** The operator who made it; `server` for a ban of its own. */
  readonly by: string;
  /** Whether the server banned it by itself. */
  readonly isAutomatic: boolean;
  readonly addedAt: number;
  /** Absent: for good. */
  readonly expiresAt?: number;
}

export interface SourceInput {
  readonly reason: string;
  readonly by: string;
  readonly expiresAt?: number;
}

/** Why a source is never banned by the server itself. */
export type Exemption = 'WHITELIST' | 'TRUSTED' | 'TRUNK' | 'PHONES';

/** What came from one source that looks like an attack. */
export interface AttackSource {
  readonly address: string;
  readonly counts: Readonly<Record<Attack, number>>;
  /** Datagrams and connections that the built-in engine dropped, or requests refused, since it is banned. */
  readonly dropped: number;
  readonly firstAt: number;
  readonly lastAt: number;
  readonly state: 'BANNED' | Exemption | 'HEARD';
}

/** What looked like attacks since start. */
export interface AttackReport {
  readonly since: number;
  readonly totals: Readonly<Record<Attack, number>>;
  readonly dropped: number;
  /** Bans of the server's own since start, and those in force. */
  readonly bans: number;
  readonly banned: number;
  /** The newest MAX_SOURCES, newest first. */
  readonly sources: readonly AttackSource[];
}

/** What became of a file of addresses. */
export interface ImportedSources {
  readonly added: number;
  /** In the list already. */
  readonly known: number;
  readonly faults: readonly { readonly line: number; readonly message: string }[];
}

/** Black list, white list and attacks as consoles see them. Rejects with SourceListError, and StoreError when the Store is away. */
export interface SourceService {
  /** In the order of addresses. */
  list(name: SourceListName): readonly SourceEntry[];
  /** The entries that have something in common with an address or network. */
  touching(name: SourceListName, source: string): readonly SourceEntry[];
  /** A ban of the server's own gives way to the entry of an operator; any other of that source is an error. */
  add(name: SourceListName, source: string, input: SourceInput): Promise<SourceEntry>;
  remove(name: SourceListName, source: string): Promise<void>;
  /** A file with an address or network a line, `#` for comments. */
  import(name: SourceListName, text: string, input: SourceInput): Promise<ImportedSources>;
  /** Why the server would not ban it by itself; undefined when it would. */
  exemption(source: string): Exemption | undefined;
  attacks(): Promise<AttackReport>;
}
