import { AppError } from '../platform/errors.js';
import { checkFields, checkPassword, checkUsername } from './account-rules.js';
import { AccountError } from './errors.js';
import type { UserRow } from './read-users.js';
import type { StoredUsers } from './stored-users.js';
import type { ServiceType, UserInput, UserStatus } from './types.js';
import { changeFeatures, readFeatures } from './user-features.js';

export interface ImportOptions {
  /** What to do with a user that exists: leave it, change it, or count it as an error. Default `skip`. */
  readonly existing?: 'skip' | 'update' | 'fail';
  /** Writes nothing when any row has an error. Default false: good rows are written. */
  readonly allOrNothing?: boolean;
}

/** Why a row was not taken. */
export interface ImportFault {
  readonly row: number;
  readonly username: string;
  readonly code: string;
  readonly message: string;
}

export interface ImportReport {
  readonly added: number;
  readonly updated: number;
  readonly skipped: number;
  readonly faults: readonly ImportFault[];
}

/** Where users are written. */
export type ImportTarget = Pick<StoredUsers, 'add' | 'modify' | 'remove' | 'view'>;

/**
 * Writes rows as users. Short passwords are taken: phones have them already. Rejects with StoreError when the Store
 * goes away in the middle; with `allOrNothing`, users added until then are removed again as far as the Store allows.
 */
export async function importUsers(
  users: ImportTarget,
  rows: readonly UserRow[],
  options: ImportOptions = {},
): Promise<ImportReport> {
  const faults = findFaults(rows, options.existing === 'update');
  if (options.existing === 'fail' && options.allOrNothing) faults.push(...(await findExisting(users, rows)));
  if (options.existing === 'update' && options.allOrNothing) faults.push(...(await findUnknown(users, rows)));
  if (options.allOrNothing && faults.length > 0) return { added: 0, updated: 0, skipped: 0, faults };
  const bad = new Set(faults.map(({ row }) => row));
  const good = rows.filter(({ row }) => !bad.has(row));
  return await writeRows(users, good, options, faults);
}

async function writeRows(
  users: ImportTarget,
  rows: readonly UserRow[],
  options: ImportOptions,
  faults: ImportFault[],
): Promise<ImportReport> {
  const counts = { added: 0, updated: 0, skipped: 0 };
  const added: string[] = [];
  try {
    for (const row of rows) {
      const outcome = await writeRow(users, row, options.existing ?? 'skip');
      if (outcome === 'added') added.push(row.username);
      if (typeof outcome === 'string') counts[outcome]++;
      else faults.push(outcome);
    }
  } catch (error) {
    if (options.allOrNothing) await Promise.allSettled(added.map((username) => users.remove(username)));
    throw error;
  }
  return { ...counts, faults };
}

async function writeRow(
  users: ImportTarget,
  row: UserRow,
  existing: 'skip' | 'update' | 'fail',
): Promise<'added' | 'updated' | 'skipped' | ImportFault> {
  const input = toInput(row);
  const relaxed = { allowShortPassword: true };
  try {
    if (row.password !== undefined) {
      await users.add(row.username, { ...input, password: row.password }, relaxed);
      return 'added';
    }
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    if (error.code !== 'USER_EXISTS' || existing === 'fail') return toFault(row, error);
  }
  if (existing === 'skip') return 'skipped';
  try {
    await users.modify(row.username, input, relaxed);
    return 'updated';
  } catch (error) {
    if (error instanceof AppError && error.code === 'USER_UNKNOWN') return toFault(row, needsPassword());
    throw error;
  }
}

const needsPassword = () => new AccountError('PASSWORD_WEAK', 'a user that is new needs a password');

/** Checks rows without the Store: fields, and names that come twice. Users that exist need no password to be changed. */
function findFaults(rows: readonly UserRow[], mayLackPassword: boolean): ImportFault[] {
  const faults: ImportFault[] = [];
  const seen = new Set<string>();
  for (const row of rows) {
    try {
      checkUsername(row.username);
      if (row.password !== undefined || !mayLackPassword)
        checkPassword(row.username, row.password ?? '', true);
      const input = toInput(row);
      checkFields(input);
      changeFeatures(row.username, undefined, input.features ?? {});
      if (seen.has(row.username)) throw new AccountError('USER_EXISTS', 'the name stands in the file twice');
      seen.add(row.username);
    } catch (error) {
      faults.push(toFault(row, error));
    }
  }
  return faults;
}

async function findExisting(users: ImportTarget, rows: readonly UserRow[]): Promise<ImportFault[]> {
  const faults: ImportFault[] = [];
  for (const row of rows)
    if (await users.view(row.username))
      faults.push(toFault(row, new AccountError('USER_EXISTS', `user ${row.username} exists`)));
  return faults;
}

/** Rows without a password whose users are not there. */
async function findUnknown(users: ImportTarget, rows: readonly UserRow[]): Promise<ImportFault[]> {
  const faults: ImportFault[] = [];
  for (const row of rows)
    if (row.password === undefined && !(await users.view(row.username)))
      faults.push(toFault(row, needsPassword()));
  return faults;
}

function toInput({ password, displayName, phone, email, status, serviceType, features }: UserRow): UserInput {
  return {
    ...(password !== undefined && { password }),
    ...(displayName !== undefined && { displayName }),
    ...(phone !== undefined && { phone }),
    ...(email !== undefined && { email }),
    ...(status !== undefined && { status: status.toUpperCase() as UserStatus }),
    ...(serviceType !== undefined && { serviceType: serviceType.toUpperCase() as ServiceType }),
    ...(features !== undefined && { features: readFeatures(features) }),
  };
}

function toFault({ row, username }: UserRow, error: unknown): ImportFault {
  if (!(error instanceof AppError)) throw error;
  return { row, username: username.slice(0, 64), code: error.code, message: error.message };
}
