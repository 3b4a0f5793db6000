import { type Clock, systemClock } from '../platform/clock.js';
import { randomToken } from '../platform/ids.js';
import type { Collection, Store } from '../store/types.js';
import { checkPassword, checkUsername, isUsername, MAX_PASSWORD_LENGTH } from './account-rules.js';
import { AccountError } from './errors.js';
import { hashPassword, verifyPassword } from './password-hash.js';
import { type OperatorService, type OperatorView, ROLES, type Role } from './types.js';

/** 80 random bits, typed once. */
const GENERATED_PASSWORD_LENGTH = 16;
/** Most operators; far more than a console needs. */
const MAX_OPERATORS = 1000;

/** An operator as kept in the Store. */
type KeptOperator = { name: string; role: Role; createdAt: number; passwordHash: string };

/** Console operators in the Store's collection `operators`. */
export class StoredOperators implements OperatorService {
  private readonly operators: Collection;
  private readonly clock: Clock;
  /** Checked when a name is unknown, so that the answer takes as long. */
  private decoy: Promise<string> | undefined;

  constructor(options: { readonly store: Store; readonly clock?: Clock }) {
    this.operators = options.store.collection('operators');
    this.clock = options.clock ?? systemClock;
  }

  async login(name: string, password: string): Promise<OperatorView | undefined> {
    const isPlausible = isUsername(name) && password.length <= MAX_PASSWORD_LENGTH;
    const kept = isPlausible ? await this.fetch(name) : undefined;
    this.decoy ??= hashPassword(randomToken(GENERATED_PASSWORD_LENGTH));
    const hash = kept?.passwordHash ?? (await this.decoy);
    const isRight = await verifyPassword(password.slice(0, MAX_PASSWORD_LENGTH), hash);
    return kept && isRight ? toView(kept) : undefined;
  }

  async add(name: string, password: string, role: Role): Promise<OperatorView> {
    checkUsername(name);
    checkPassword(name, password);
    if (!ROLES.includes(role))
      throw new AccountError('FIELD_INVALID', `role must be one of ${ROLES.join(', ')}`);
    if ((await this.operators.count()) >= MAX_OPERATORS)
      throw new AccountError('FIELD_INVALID', `there are ${MAX_OPERATORS} operators already`);
    const kept = { name, role, createdAt: this.clock.now(), passwordHash: await hashPassword(password) };
    if (!(await this.operators.put(name, kept, 'create')))
      throw new AccountError('OPERATOR_EXISTS', `operator ${name} exists`);
    return toView(kept);
  }

  async remove(name: string): Promise<void> {
    const unknown = new AccountError('OPERATOR_UNKNOWN', `there is no operator ${name.slice(0, 64)}`);
    const kept = isUsername(name) ? await this.fetch(name) : undefined;
    if (!kept) throw unknown;
    if (kept.role === 'ADMIN' && (await this.list()).filter(({ role }) => role === 'ADMIN').length === 1)
      throw new AccountError('OPERATOR_LAST_ADMIN', `${name} is the last ADMIN: add another one first`);
    if (!(await this.operators.remove(name))) throw unknown;
  }

  async setPassword(name: string, password: string): Promise<void> {
    const unknown = new AccountError('OPERATOR_UNKNOWN', `there is no operator ${name.slice(0, 64)}`);
    const kept = isUsername(name) ? await this.fetch(name) : undefined;
    if (!kept) throw unknown;
    checkPassword(name, password);
    const changed = { ...kept, passwordHash: await hashPassword(password) };
    if (!(await this.operators.put(name, changed, 'update'))) throw unknown;
  }

  async list(): Promise<OperatorView[]> {
    const entries = await this.operators.list({ limit: MAX_OPERATORS });
    return entries.map(({ value }) => toView(value as unknown as KeptOperator));
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
}

function toView({ name, role, createdAt }: KeptOperator): OperatorView {
  return { name, role, createdAt };
}
