import type { Role } from '../../accounts/types.js';
import type { MmlError } from '../errors.js';
import type { ExchangeFiles } from '../exchange-files.js';
import type { Registry } from '../registry/registry.js';
import type { Language } from '../text.js';
import type { ChainHead, ChainReport } from './operation-chain.js';
import type { OperationEntry, OperationQuery } from './operation-log.js';

/** `task`: a batch that the server runs; nobody sits there. */
export type SessionTransport = 'telnet' | 'ssh' | 'local' | 'task';

/** One operator's session. Commands change the settings in it; the rest is for showing. */
export interface SessionState {
  readonly id: number;
  readonly operator: string;
  readonly role: Role;
  /** Patterns of the commands that its command groups give it; changed when a group changes. */
  grants: readonly string[];
  readonly address: string;
  readonly transport: SessionTransport;
  /** Wall milliseconds. */
  readonly startedAt: number;
  /** The password is too old: only SET PASSWORD, help and LGO run until it is changed. */
  mustChangePassword?: boolean;
  lastInputAt: number;
  lastCommand: string;
  language: Language;
  format: 'TEXT' | 'JSON';
  /** Lines a page; undefined follows the terminal, 0 never pages. */
  pageLines: number | undefined;
  /** Whether alarms are printed as they come. */
  printsAlarms: boolean;
  /** Columns of the terminal; undefined where there is none. */
  columns?: number | undefined;
}

/** What commands may do to the console itself. */
export interface ConsoleControl {
  readonly product: ProductName;
  readonly registry: Registry;
  /** Files that commands read and write. */
  readonly files: ExchangeFiles;
  /** What is wrong with a command as far as can be told without running it; undefined when nothing is. */
  check(command: string, session: SessionState): MmlError | undefined;
  sessions(): readonly SessionState[];
  /** Ends a session by its number; false when there is none. */
  endSession(id: number): boolean;
  /** Whether a password is right; throttled by address as logins are. Rejects with MmlError 3006 while it must wait. */
  verifyPassword(name: string, password: string, address: string): Promise<boolean>;
  operations(query: OperationQuery): Promise<readonly OperationEntry[]>;
  /** Whether the operation log is as it was written; `noted` is the head of an earlier check. */
  checkOperations(noted?: ChainHead): Promise<ChainReport>;
}

/** What reports call this server. */
export interface ProductName {
  /** `ims-server`. */
  readonly name: string;
  readonly version: string;
  /** Number of this process among several; `1` by default. */
  readonly instance?: string;
}
