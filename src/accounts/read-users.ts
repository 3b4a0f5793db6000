import { parseCsv } from './csv-rows.js';
import { AccountError } from './errors.js';
import { FEATURE_NAMES, type FeatureName } from './user-features.js';

/** Most users in one file. */
export const MAX_IMPORT_ROWS = 200_000;

/** One user of a file, not checked yet. Fields that the file does not have are absent. */
export interface UserRow {
  /** From 1, as people count; the header of a CSV is not counted. */
  readonly row: number;
  readonly username: string;
  readonly password?: string;
  readonly displayName?: string;
  readonly phone?: string;
  readonly email?: string;
  readonly status?: string;
  readonly serviceType?: string;
  /** As written, by the names of the API in any case: `forwardBusy`, `forward_busy`. */
  readonly features?: Readonly<Partial<Record<FeatureName, string>>>;
}

type PlainField = Exclude<keyof UserRow, 'row' | 'features'>;

/** Names of fields in files, lower case, `_` and `-` taken out: those of `users.json`, of our API and of the console. */
const FIELD_NAMES: Readonly<Record<string, PlainField>> = {
  username: 'username',
  user: 'username',
  password: 'password',
  displayname: 'displayName',
  name: 'displayName',
  phone: 'phone',
  email: 'email',
  status: 'status',
  servicetype: 'serviceType',
  service: 'serviceType',
};

const FEATURE_BY_NAME = new Map(FEATURE_NAMES.map((name) => [name.toLowerCase(), name]));

const unreadable = (message: string) => new AccountError('FIELD_INVALID', message);

/**
 * Reads users from `users.json`: an array of objects, an object by user name, or either under the key `users`.
 * Fields it does not know (`role`, times) are left out. Throws AccountError (FIELD_INVALID) when the text is no such file.
 */
export function readUsersJson(text: string): UserRow[] {
  let data: unknown;
  try {
    data = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch {
    throw unreadable('the file is not JSON');
  }
  if (isObject(data) && isObject(data['users'])) data = data['users'];
  if (Array.isArray(data)) return checkCount(data).map((item, i) => toRow(i + 1, toPairs(item)));
  if (isObject(data))
    return checkCount(Object.entries(data)).map(([name, item], i) =>
      toRow(i + 1, [['username', name], ...toPairs(item)]),
    );
  throw unreadable('the file must hold an array of users or an object by user name');
}

/** Reads users from CSV with a header row (RFC 4180). Throws AccountError (FIELD_INVALID) when it cannot be read. */
export function readUsersCsv(text: string): UserRow[] {
  let rows: string[][];
  try {
    rows = parseCsv(text);
  } catch (error) {
    throw unreadable((error as Error).message);
  }
  const header = rows.shift() ?? [];
  if (!header.some((name) => fieldOf(name) === 'username'))
    throw unreadable('the first row must name the columns, one of them username');
  return checkCount(rows).map((cells, i) =>
    toRow(
      i + 1,
      header.map((name, column) => [name, cells[column] ?? '']),
    ),
  );
}

/** Array or plain object. */
function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function checkCount<T>(rows: T[]): T[] {
  if (rows.length > MAX_IMPORT_ROWS) throw unreadable(`more than ${MAX_IMPORT_ROWS} users in one file`);
  return rows;
}

function toPairs(item: unknown): [string, unknown][] {
  return isObject(item) && !Array.isArray(item) ? Object.entries(item) : [];
}

const plainName = (name: string): string => name.trim().toLowerCase().replace(/[_ -]/g, '');

function fieldOf(name: string): PlainField | undefined {
  const plain = plainName(name);
  return Object.hasOwn(FIELD_NAMES, plain) ? FIELD_NAMES[plain] : undefined;
}

/** Later pairs win; numbers (an unquoted 1001 in JSON) become text; empty cells count as absent. */
function toRow(row: number, pairs: [string, unknown][]): UserRow {
  const fields: Record<string, string> = {};
  const features: Partial<Record<FeatureName, string>> = {};
  for (const [name, value] of pairs) {
    // `ims user list --json` writes features as an object of their own.
    if (plainName(name) === 'features') Object.assign(features, toRow(row, toPairs(value)).features);
    const field = fieldOf(name);
    const feature = FEATURE_BY_NAME.get(plainName(name));
    if (!['string', 'number', 'boolean'].includes(typeof value)) continue;
    const text = field === 'password' ? String(value) : String(value).trim();
    if (text === '') continue;
    if (field !== undefined && typeof value !== 'boolean') fields[field] = text;
    else if (feature !== undefined) features[feature] = text;
  }
  return { row, username: '', ...fields, ...(Object.keys(features).length > 0 && { features }) };
}
