import type { WorkingHours } from './operator-rules.js';
import type { FeatureChanges, UserFeatures } from './user-features.js';

export const USER_STATUSES = ['ACTIVE', 'INACTIVE', 'SUSPENDED'] as const;
export type UserStatus = (typeof USER_STATUSES)[number];
export const SERVICE_TYPES = ['BASIC', 'PREMIUM', 'VIP'] as const;
export type ServiceType = (typeof SERVICE_TYPES)[number];

/** Digest HA1 of one user (RFC 7616 §3.4.2), hex; the only form in which a subscriber password is kept. */
export interface Ha1 {
  readonly md5: string;
  readonly sha256: string;
}

/** A subscriber as stored. The username is the user part of its address-of-record. */
export interface User {
  readonly username: string;
  /** Realm that the HA1 were made for. */
  readonly realm: string;
  readonly ha1: Ha1;
  readonly displayName: string;
  readonly phone: string;
  readonly email: string;
  readonly status: UserStatus;
  readonly serviceType: ServiceType;
  /** Forwarding and the like; absent when the user has none. */
  readonly features?: UserFeatures;
  /** Wall milliseconds. */
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What consoles may see of a user: all but the HA1. */
export type UserView = Omit<User, 'ha1'>;

/** Fields an operator may give. A password is turned into HA1 at once and forgotten. */
export interface UserInput {
  readonly password?: string;
  readonly displayName?: string;
  readonly phone?: string;
  readonly email?: string;
  readonly status?: UserStatus;
  readonly serviceType?: ServiceType;
  /** Those given are changed, the others stay. */
  readonly features?: FeatureChanges;
}

/**
 * Subscribers. Rejects with AccountError: codes USER_EXISTS, USER_UNKNOWN, USERNAME_INVALID, PASSWORD_WEAK,
 * FIELD_INVALID, or with StoreError when the Store is away.
 */
export interface UserService {
  add(username: string, input: UserInput & { readonly password: string }): Promise<UserView>;
  modify(username: string, input: UserInput): Promise<UserView>;
  remove(username: string): Promise<void>;
  view(username: string): Promise<UserView | undefined>;
  list(options?: { after?: string; limit?: number; prefix?: string }): Promise<UserView[]>;
  count(): Promise<number>;
  /** With HA1, for authentication only. Served from the last known state when the Store is away. */
  authData(username: string): Promise<User | undefined>;
}

export const ROLES = ['GUEST', 'OPERATOR', 'ADMIN'] as const;
export type Role = (typeof ROLES)[number];

export interface OperatorView {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: number;
  /** Networks and addresses that it may log in from; absent: any. */
  readonly addresses?: readonly string[];
  /** When it may log in; absent: always. */
  readonly hours?: WorkingHours;
  /** Command groups that it has besides its role; absent: none. */
  readonly groups?: readonly string[];
  /** Public keys that it may log in with by SSH, lines of OpenSSH; absent: none. */
  readonly keys?: readonly string[];
  /** When its password was set, wall milliseconds. */
  readonly passwordAt?: number;
  /** The password is too old: it must be changed before anything else. */
  readonly passwordExpired?: boolean;
  /** Locked after wrong passwords, until this wall time. */
  readonly lockedUntil?: number;
}

/** What may be changed of an operator; `null` takes a rule away. */
export interface OperatorChanges {
  readonly role?: Role;
  readonly addresses?: readonly string[] | null;
  readonly hours?: WorkingHours | null;
  /** Names of command groups; an empty list takes them all away. */
  readonly groups?: readonly string[];
  /** Public keys as lines of OpenSSH; an empty list takes them all away. */
  readonly keys?: readonly string[];
}

/** An operator that has just logged in. */
export interface LoggedInOperator extends OperatorView {
  /** Patterns of the commands that its groups let it run besides those of its role. */
  readonly grants: readonly string[];
}

/** A named set of commands that operators may run besides those of their role. */
export interface CommandGroup {
  readonly name: string;
  /** Patterns of whole commands, upper case, `*` for any word: `ADD USER`, `* TRUNK`, `LST`. */
  readonly commands: readonly string[];
  readonly note: string;
  readonly createdAt: number;
  readonly changedAt: number;
}

/** Those given are changed, the others stay. */
export interface CommandGroupInput {
  readonly commands?: readonly string[] | undefined;
  readonly note?: string | undefined;
}

/** Command groups. Rejects with AccountError: CMDGROUP_EXISTS, CMDGROUP_UNKNOWN, USERNAME_INVALID, FIELD_INVALID, or with StoreError. */
export interface CommandGroupService {
  list(): Promise<CommandGroup[]>;
  get(name: string): Promise<CommandGroup | undefined>;
  add(name: string, commands: readonly string[], note?: string): Promise<CommandGroup>;
  modify(name: string, input: CommandGroupInput): Promise<CommandGroup>;
  remove(name: string): Promise<void>;
  /** The patterns of several groups together; a group that is gone gives none. */
  commandsOf(names: readonly string[]): Promise<readonly string[]>;
}

/**
 * Console operators; passwords are kept as scrypt hashes. Rejects with AccountError: codes OPERATOR_EXISTS,
 * OPERATOR_UNKNOWN, OPERATOR_LAST_ADMIN, CMDGROUP_UNKNOWN, USERNAME_INVALID, PASSWORD_WEAK, FIELD_INVALID, or with StoreError.
 */
export interface OperatorService {
  /**
   * Resolves the operator, or undefined for a wrong name or password, a locked operator or an address that it may not come
   * from; takes the same time for all. Rejects with AccountError OPERATOR_HOURS outside its working hours.
   */
  login(name: string, password: string, address?: string): Promise<LoggedInOperator | undefined>;
  /** The same for one that has proven who it is by another way: its public key. */
  admit(name: string, address: string): Promise<LoggedInOperator | undefined>;
  add(
    name: string,
    password: string,
    role: Role,
    rules?: Omit<OperatorChanges, 'role'>,
  ): Promise<OperatorView>;
  /** Rejects with AccountError: OPERATOR_UNKNOWN, OPERATOR_LAST_ADMIN, CMDGROUP_UNKNOWN. */
  modify(name: string, changes: OperatorChanges): Promise<OperatorView>;
  /** The operator as it is now, without a password: what it may do at this moment. Undefined when there is none. */
  present(name: string): Promise<LoggedInOperator | undefined>;
  /** Takes a lock away; resolves whether there was one. */
  unlock(name: string): Promise<boolean>;
  remove(name: string): Promise<void>;
  /** Gives an operator another password. Rejects with AccountError: OPERATOR_UNKNOWN, PASSWORD_WEAK. */
  setPassword(name: string, password: string): Promise<void>;
  list(): Promise<OperatorView[]>;
  /** Makes `admin` when there is no operator at all; resolves the password only if it was made up here. */
  ensureAdmin(password: string | undefined): Promise<{ created: boolean; generatedPassword?: string }>;
}
