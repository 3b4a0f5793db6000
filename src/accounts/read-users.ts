import { parseCsv } from './csv-rows.js';
import { AccountError } from './errors.js';

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
}

/** Names of fields in files, lower case, `_` and `-` taken out: those of `users.json`, of our API and of the console. */
const FIELD_NAMES: Readonly<Record<string, Exclude<keyof UserRow, 'row'>>> = {
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

function fieldOf(name: string): Exclude<keyof UserRow, 'row'> | undefined {
  const plain = name.trim().toLowerCase().replace(/[_ -]/g, '');
  return Object.hasOwn(FIELD_NAMES, plain) ? FIELD_NAMES[plain] : undefined;
}

/** Later pairs win; numbers (an unquoted 1001 in JSON) become text; empty cells count as absent. */
function toRow(row: number, pairs: [string, unknown][]): UserRow {
  const fields: Record<string, string> = {};
  for (const [name, value] of pairs) {
    const field = fieldOf(name);
    if (field === undefined || (typeof value !== 'string' && typeof value !== 'number')) continue;
    const text = field === 'password' ? String(value) : String(value).trim();
    if (text !== '') fields[field] = text;
  }
  return { row, username: '', ...fields };
}
