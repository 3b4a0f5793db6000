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
}

/**
 * Console operators; passwords are kept as scrypt hashes. Rejects with AccountError: codes OPERATOR_EXISTS,
 * OPERATOR_UNKNOWN, OPERATOR_LAST_ADMIN, USERNAME_INVALID, PASSWORD_WEAK, FIELD_INVALID, or with StoreError.
 */
export interface OperatorService {
  /** Resolves the operator, or undefined for a wrong name or password; takes the same time for both. */
  login(name: string, password: string): Promise<OperatorView | undefined>;
  add(name: string, password: string, role: Role): Promise<OperatorView>;
  remove(name: string): Promise<void>;
  /** Gives an operator another password. Rejects with AccountError: OPERATOR_UNKNOWN, PASSWORD_WEAK. */
  setPassword(name: string, password: string): Promise<void>;
  list(): Promise<OperatorView[]>;
  /** Makes `admin` when there is no operator at all; resolves the password only if it was made up here. */
  ensureAdmin(password: string | undefined): Promise<{ created: boolean; generatedPassword?: string }>;
}
