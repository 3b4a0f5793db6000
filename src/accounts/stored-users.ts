import { type Clock, systemClock } from '../platform/clock.js';
import type { Collection, Json, Store } from '../store/types.js';
import { checkFields, checkPassword, checkUsername, isUsername } from './account-rules.js';
import { AccountError } from './errors.js';
import { toHa1 } from './ha1.js';
import type { User, UserInput, UserService, UserView } from './types.js';
import { UserCache } from './user-cache.js';
import { changeFeatures, type FeatureChanges, type UserFeatures } from './user-features.js';

/** How long a user is taken as unchanged: a change made by another process is seen after this at the latest. */
const FRESH_MS = 2000;
/** Users remembered for when the Store is away. Beyond, the least recently asked for is forgotten. */
const MAX_KNOWN = 50_000;
/** Names remembered as unknown. */
const MAX_UNKNOWN = 5000;

export interface UserServiceOptions {
  readonly store: Store;
  /** Realm that HA1 are made for: `SIP_REALM`. */
  readonly realm: string;
  readonly clock?: Clock;
}

/** How `add` and `modify` treat a password. */
export interface PasswordOptions {
  /** Takes short passwords too; for imports of accounts that people use already. */
  readonly allowShortPassword?: boolean;
}

/** Subscribers in the Store's collection `users`. */
export class StoredUsers implements UserService {
  private readonly users: Collection;
  private readonly cache = new UserCache(MAX_KNOWN, MAX_UNKNOWN);
  private readonly looks = new Map<string, Promise<User | undefined>>();
  /** Changes made here so far; a look that began before the last one is not remembered. */
  private changes = 0;
  private readonly clock: Clock;

  constructor(private readonly options: UserServiceOptions) {
    this.users = options.store.collection('users');
    this.clock = options.clock ?? systemClock;
  }

  async add(
    username: string,
    input: UserInput & { readonly password: string },
    options: PasswordOptions = {},
  ): Promise<UserView> {
    checkUsername(username);
    checkPassword(username, input.password, options.allowShortPassword);
    checkFields(input);
    const now = this.clock.now();
    const user: User = {
      username,
      ...this.credentials(username, input.password),
      displayName: input.displayName ?? '',
      phone: input.phone ?? '',
      email: input.email ?? '',
      status: input.status ?? 'ACTIVE',
      serviceType: input.serviceType ?? 'BASIC',
      ...featuresOf(username, undefined, input.features),
      createdAt: now,
      updatedAt: now,
    };
    if (!(await this.users.put(username, toJson(user), 'create')))
      throw new AccountError('USER_EXISTS', `user ${username} exists`, { username });
    this.noteChange(username);
    return toView(user);
  }

  async modify(username: string, input: UserInput, options: PasswordOptions = {}): Promise<UserView> {
    checkUsername(username);
    const { password, features, ...fields } = input;
    if (password !== undefined) checkPassword(username, password, options.allowShortPassword);
    checkFields(fields);
    const before = await this.fetch(username);
    if (!before) throw unknown(username);
    const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
    const { features: former, ...rest } = before;
    const user: User = {
      ...rest,
      ...given,
      ...featuresOf(username, former, features),
      ...(password !== undefined && this.credentials(username, password)),
      updatedAt: this.clock.now(),
    };
    if (!(await this.users.put(username, toJson(user), 'update'))) throw unknown(username);
    this.noteChange(username);
    return toView(user);
  }

  async remove(username: string): Promise<void> {
    if (!isUsername(username) || !(await this.users.remove(username))) throw unknown(username);
    this.noteChange(username);
  }

  async view(username: string): Promise<UserView | undefined> {
    const user = isUsername(username) ? await this.fetch(username) : undefined;
    return user && toView(user);
  }

  async list(options: { after?: string; limit?: number; prefix?: string } = {}): Promise<UserView[]> {
    const entries = await this.users.list(options);
    return entries.map(({ value }) => toView(value as unknown as User));
  }

  count(): Promise<number> {
    return this.users.count();
  }

  async authData(username: string): Promise<User | undefined> {
    if (!isUsername(username)) return undefined;
    const known = this.cache.get(username);
    if (known && this.clock.monotonic() - known.at < FRESH_MS) return known.user;
    try {
      return await this.look(username);
    } catch (error) {
      // The Store is away: what was true last is the best answer there is.
      if (known) return known.user;
      throw error;
    }
  }

  /** One look at the Store for all who ask for the same user at once. */
  private look(username: string): Promise<User | undefined> {
    const begun = this.looks.get(username);
    if (begun) return begun;
    const look = this.fetch(username).finally(() => {
      if (this.looks.get(username) === look) this.looks.delete(username);
    });
    this.looks.set(username, look);
    return look;
  }

  private async fetch(username: string): Promise<User | undefined> {
    const [at, changes] = [this.clock.monotonic(), this.changes];
    const user = (await this.users.get(username)) as unknown as User | undefined;
    if (changes === this.changes) this.cache.set(username, user, at);
    return user;
  }

  private noteChange(username: string): void {
    this.changes++;
    this.cache.forget(username);
    this.looks.delete(username);
  }

  private credentials(username: string, password: string): Pick<User, 'realm' | 'ha1'> {
    const { realm } = this.options;
    return { realm, ha1: toHa1(username, realm, password) };
  }
}

function toJson(user: User): Json {
  return { ...user, ha1: { ...user.ha1 } } as unknown as Json;
}

function toView({ ha1: _, ...view }: User): UserView {
  return view;
}

function featuresOf(
  username: string,
  before: UserFeatures | undefined,
  changes: FeatureChanges = {},
): Pick<User, 'features'> {
  const features = changeFeatures(username, before, changes);
  return Object.keys(features).length > 0 ? { features } : {};
}

function unknown(username: string): AccountError {
  return new AccountError('USER_UNKNOWN', `there is no user ${username.slice(0, 64)}`);
}
