import { type Clock, systemClock } from '../platform/clock.js';
import { randomToken } from '../platform/ids.js';
import { KeyedQueue } from '../platform/keyed-queue.js';
import type { Collection, Store } from '../store/types.js';
import { checkPassword, checkUsername, isUsername, MAX_PASSWORD_LENGTH } from './account-rules.js';
import { AccountError } from './errors.js';
import { type KeptOperator, operatorView } from './kept-operator.js';
import { isAllowedAddress, isWorkingTime, OPERATOR_POLICY, type OperatorPolicy } from './operator-rules.js';
import { hashPassword, verifyPassword } from './password-hash.js';
import { parsePublicKey } from './public-key.js';
import { StoredCommandGroups, unknownGroup } from './stored-command-groups.js';
import {
  type LoggedInOperator,
  type OperatorChanges,
  type OperatorService,
  type OperatorView,
  ROLES,
  type Role,
} from './types.js';

/** 80 random bits, typed once. */
const GENERATED_PASSWORD_LENGTH = 16;
/** Most operators, far more than a console needs; most command groups and public keys of one. */
const MAX_OPERATORS = 1000;
const MAX_GROUPS = 20;
const MAX_KEYS = 10;

/** Locked until somebody unlocks it. */
const FOR_GOOD = Number.MAX_SAFE_INTEGER;

/** Console operators in the Store's collection `operators`. */
export class StoredOperators implements OperatorService {
  private readonly operators: Collection;
  private readonly groups: StoredCommandGroups;
  private readonly clock: Clock;
  /** Checked when a name is unknown, so that the answer takes as long. */
  private decoy: Promise<string> | undefined;
  private readonly policy: OperatorPolicy;
  /** Wrong passwords in a row, of operators that there are. */
  private readonly failures = new Map<string, number>();
  /** What reads an operator and writes it again waits for the one before: nothing that was changed meanwhile is undone. */
  private readonly changes = new KeyedQueue();

  constructor(options: {
    readonly store: Store;
    readonly clock?: Clock;
    /** Read each time it is used. */
    readonly policy?: OperatorPolicy;
  }) {
    this.policy = options.policy ?? OPERATOR_POLICY;
    this.operators = options.store.collection('operators');
    this.clock = options.clock ?? systemClock;
    this.groups = new StoredCommandGroups({ store: options.store, clock: this.clock });
  }

  async login(name: string, password: string, address?: string): Promise<LoggedInOperator | undefined> {
    const isPlausible = isUsername(name) && password.length <= MAX_PASSWORD_LENGTH;
    const kept = isPlausible ? await this.fetch(name) : undefined;
    this.decoy ??= hashPassword(randomToken(GENERATED_PASSWORD_LENGTH));
    const hash = kept?.passwordHash ?? (await this.decoy);
    const isRight = await verifyPassword(password.slice(0, MAX_PASSWORD_LENGTH), hash);
    // Who guesses must not learn from a locked operator, nor from the wrong place, whether a password was right.
    // Nor can anybody lock it from there.
    if (!kept || !this.isWelcome(kept, address)) return undefined;
    if (!isRight) {
      await this.noteFailure(name);
      return undefined;
    }
    this.failures.delete(name);
    return this.enter(kept);
  }

  async admit(name: string, address: string): Promise<LoggedInOperator | undefined> {
    const kept = isUsername(name) ? await this.fetch(name) : undefined;
    return kept && this.isWelcome(kept, address) ? this.enter(kept) : undefined;
  }

  private isWelcome({ lockedUntil = 0, addresses }: KeptOperator, address: string | undefined): boolean {
    return lockedUntil <= this.clock.now() && (address === undefined || isAllowedAddress(addresses, address));
  }

  private async enter(kept: KeptOperator): Promise<LoggedInOperator> {
    if (!isWorkingTime(kept.hours, this.clock.now()))
      throw new AccountError('OPERATOR_HOURS', `${kept.name} may not log in at this time`);
    return this.withGrants(kept);
  }

  async present(name: string): Promise<LoggedInOperator | undefined> {
    const kept = isUsername(name) ? await this.fetch(name) : undefined;
    return kept && this.withGrants(kept);
  }

  private async withGrants(kept: KeptOperator): Promise<LoggedInOperator> {
    return { ...this.toView(kept), grants: await this.groups.commandsOf(kept.groups ?? []) };
  }

  private async noteFailure(name: string): Promise<void> {
    const { lockAfter, lockSec } = this.policy;
    const count = (this.failures.get(name) ?? 0) + 1;
    this.failures.set(name, count);
    if (lockAfter === 0 || count < lockAfter) return;
    this.failures.delete(name);
    const lockedUntil = lockSec === 0 ? FOR_GOOD : this.clock.now() + lockSec * 1000;
    await this.oneByOne(async () => {
      const kept = await this.fetch(name);
      if (kept) await this.operators.put(name, { ...kept, lockedUntil }, 'update');
    });
  }

  private oneByOne<T>(work: () => Promise<T>): Promise<T> {
    return this.changes.run('operators', work);
  }

  async add(
    name: string,
    password: string,
    role: Role,
    { addresses, hours, groups = [] }: Omit<OperatorChanges, 'role'> = {},
  ): Promise<OperatorView> {
    checkUsername(name);
    checkPassword(name, password, false, this.policy.minPasswordLength);
    if (!ROLES.includes(role))
      throw new AccountError('FIELD_INVALID', `role must be one of ${ROLES.join(', ')}`);
    if ((await this.operators.count()) >= MAX_OPERATORS)
      throw new AccountError('FIELD_INVALID', `there are ${MAX_OPERATORS} operators already`);
    await this.checkGroups(groups);
    const now = this.clock.now();
    const kept: KeptOperator = {
      name,
      role,
      createdAt: now,
      passwordHash: await hashPassword(password),
      passwordAt: now,
      ...(addresses && { addresses }),
      ...(hours && { hours }),
      ...(groups.length > 0 && { groups }),
    };
    if (!(await this.operators.put(name, kept, 'create')))
      throw new AccountError('OPERATOR_EXISTS', `operator ${name} exists`);
    return this.toView(kept);
  }

  modify(name: string, changes: OperatorChanges): Promise<OperatorView> {
    return this.oneByOne(() => this.modifyNow(name, changes));
  }

  private async modifyNow(
    name: string,
    { role, addresses, hours, groups, keys }: OperatorChanges,
  ): Promise<OperatorView> {
    const kept = await this.fetchKnown(name);
    await this.checkGroups(groups ?? []);
    if (role !== undefined && role !== 'ADMIN') await this.checkNotLastAdmin(kept);
    const { addresses: oldAddresses, hours: oldHours, groups: oldGroups = [], keys: oldKeys, ...rest } = kept;
    const newAddresses = addresses === undefined ? oldAddresses : addresses;
    const newHours = hours === undefined ? oldHours : hours;
    const newGroups = groups ?? oldGroups;
    const newKeys = keys ? checkedKeys(keys) : (oldKeys ?? []);
    const changed: KeptOperator = {
      ...rest,
      ...(role !== undefined && { role }),
      ...(newAddresses && { addresses: newAddresses }),
      ...(newHours && { hours: newHours }),
      ...(newGroups.length > 0 && { groups: newGroups }),
      ...(newKeys.length > 0 && { keys: newKeys }),
    };
    if (!(await this.operators.put(name, changed, 'update'))) throw unknown(name);
    return this.toView(changed);
  }

  unlock(name: string): Promise<boolean> {
    return this.oneByOne(async () => {
      const { lockedUntil, ...kept } = await this.fetchKnown(name);
      this.failures.delete(name);
      if (lockedUntil === undefined) return false;
      if (!(await this.operators.put(name, kept, 'update'))) throw unknown(name);
      return lockedUntil > this.clock.now();
    });
  }

  remove(name: string): Promise<void> {
    return this.oneByOne(async () => {
      await this.checkNotLastAdmin(await this.fetchKnown(name));
      if (!(await this.operators.remove(name))) throw unknown(name);
    });
  }

  setPassword(name: string, password: string): Promise<void> {
    return this.oneByOne(async () => {
      const { lockedUntil: _, ...kept } = await this.fetchKnown(name);
      checkPassword(name, password, false, this.policy.minPasswordLength);
      const passwordHash = await hashPassword(password);
      const changed = { ...kept, passwordHash, passwordAt: this.clock.now() };
      if (!(await this.operators.put(name, changed, 'update'))) throw unknown(name);
      this.failures.delete(name);
    });
  }

  async list(): Promise<OperatorView[]> {
    const entries = await this.operators.list({ limit: MAX_OPERATORS });
    return entries.map(({ value }) => this.toView(value as unknown as KeptOperator));
  }

  async ensureAdmin(password: string | undefined): Promise<{ created: boolean; generatedPassword?: string }> {
    if ((await this.operators.count()) > 0) return { created: false };
    const chosen = password ?? randomToken(GENERATED_PASSWORD_LENGTH);
    try {
      await this.add('admin', chosen, 'ADMIN');
    } catch (error) {
      // Another process was quicker.
      if (error instanceof AccountError && error.code === 'OPERATOR_EXISTS') return { created: false };
      throw error;
    }
    return { created: true, ...(password === undefined && { generatedPassword: chosen }) };
  }

  private async fetch(name: string): Promise<KeptOperator | undefined> {
    return (await this.operators.get(name)) as unknown as KeptOperator | undefined;
  }

  private async fetchKnown(name: string): Promise<KeptOperator> {
    const kept = isUsername(name) ? await this.fetch(name) : undefined;
    if (!kept) throw unknown(name);
    return kept;
  }

  private async checkGroups(names: readonly string[]): Promise<void> {
    if (names.length > MAX_GROUPS)
      throw new AccountError('FIELD_INVALID', `an operator has ${MAX_GROUPS} command groups at most`);
    for (const name of names) if (!(await this.groups.get(name))) throw unknownGroup(name);
  }

  private async checkNotLastAdmin({ name, role }: KeptOperator): Promise<void> {
    if (role === 'ADMIN' && (await this.list()).filter((one) => one.role === 'ADMIN').length === 1)
      throw new AccountError('OPERATOR_LAST_ADMIN', `${name} is the last ADMIN: add another one first`);
  }

  private toView(kept: KeptOperator): OperatorView {
    return operatorView(kept, this.policy.passwordDays, this.clock.now());
  }
}

const unknown = (name: string) =>
  new AccountError('OPERATOR_UNKNOWN', `there is no operator ${name.slice(0, 64)}`);

function checkedKeys(keys: readonly string[]): string[] {
  if (keys.length > MAX_KEYS)
    throw new AccountError('FIELD_INVALID', `an operator has ${MAX_KEYS} public keys at most`);
  return keys.map((key) => parsePublicKey(key).line);
}
