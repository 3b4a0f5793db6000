import { readUsersCsv, readUsersJson } from '../../accounts/read-users.js';
import type { UserView } from '../../accounts/types.js';
import { FEATURE_NAMES } from '../../accounts/user-features.js';
import { csvLine } from '../../cdr/csv.js';
import { MmlError } from '../errors.js';
import { datedName } from '../exchange-files.js';
import { LONG_COMMAND_TIMEOUT_MS } from '../limits.js';
import { type Command, defineCommand, type ReportSpec } from '../registry/command.js';
import { boolean, oneOf } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { fileReport, INPUT_FILE, OUTPUT_FILE, OVERWRITE } from './exchange-params.js';

const PAGE = 500;
/** Faults that are printed; all are counted. */
const MAX_FAULTS_SHOWN = 100;
const FORMATS = ['CSV', 'JSON'] as const;

const importReport: ReportSpec = {
  name: 'importedUsers',
  title: text('Users imported', '用户导入结果'),
  columns: [
    { key: 'added', title: text('Added', '新增') },
    { key: 'updated', title: text('Changed', '修改') },
    { key: 'skipped', title: text('Left as they were', '保持不变') },
    { key: 'refused', title: text('Refused', '拒绝') },
  ],
};

const faultReport: ReportSpec = {
  name: 'importFaults',
  title: text('Rows refused', '被拒绝的行'),
  layout: 'table',
  columns: [
    { key: 'row', title: text('Row', '行') },
    { key: 'username', title: text('User name', '用户名') },
    { key: 'message', title: text('Why', '原因') },
  ],
};

const importUsers = defineCommand({
  verb: 'IMP',
  object: 'USER',
  aliases: ['IMP USR'],
  purpose: text(
    "Import users from CSV with a header row, or from JSON (the old server's users.json too)",
    '从带表头的 CSV 或 JSON（含旧服务器的 users.json）导入用户',
  ),
  params: {
    FILE: { ...INPUT_FILE, example: 'users.json' },
    FORMAT: {
      type: oneOf(FORMATS),
      purpose: text('Format; by the name of the file when absent', '格式；缺省时按文件名判断'),
    },
    EXISTING: {
      type: oneOf(['SKIP', 'UPDATE', 'FAIL']),
      purpose: text('Users that exist: left, changed, or an error', '已存在的用户：跳过、修改或报错'),
      default: 'SKIP',
    },
    ATOMIC: {
      type: boolean,
      purpose: text('Write nothing when a row has an error', '任一行有错则全部不写入'),
      default: 'NO',
    },
  },
  timeoutMs: LONG_COMMAND_TIMEOUT_MS,
  reports: [importReport, faultReport],
  examples: ['IMP USER: FILE=users.json', 'IMP USER: FILE=users.csv, EXISTING=UPDATE, ATOMIC=YES'],
  async handler({ services, console }, { FILE: file, FORMAT: format, EXISTING: existing, ATOMIC: atomic }) {
    const content = await console.files.read(file);
    const isJson = format === undefined ? /\.json$/i.test(file) : format === 'JSON';
    const rows = isJson ? readUsersJson(content) : readUsersCsv(content);
    const done = await services.importUsers(rows, {
      existing: existing.toLowerCase() as 'skip' | 'update' | 'fail',
      allOrNothing: atomic,
    });
    const { added, updated, skipped, faults } = done;
    const shown = faults.slice(0, MAX_FAULTS_SHOWN);
    const note = text(
      `Shown: ${shown.length} of ${faults.length}`,
      `显示 ${faults.length} 条中的 ${shown.length} 条`,
    );
    return {
      sections: [
        { report: importReport, rows: [{ added, updated, skipped, refused: faults.length }] },
        ...(faults.length > 0
          ? [
              {
                report: faultReport,
                rows: shown.map(({ row, username, message }) => ({ row, username, message })),
                ...(shown.length < faults.length && { note }),
              },
            ]
          : []),
      ],
    };
  },
});

const exportUsers = defineCommand({
  verb: 'EXP',
  object: 'USER',
  aliases: ['EXP USR'],
  purpose: text(
    'Write all users to a file, without their passwords: the server does not know them',
    '导出全部用户到文件；不含密码（服务器不保存明文密码）',
  ),
  params: {
    FORMAT: { type: oneOf(FORMATS), purpose: text('Format', '格式'), default: 'CSV' },
    FILE: { ...OUTPUT_FILE, example: 'users.csv' },
    OVERWRITE,
  },
  timeoutMs: LONG_COMMAND_TIMEOUT_MS,
  reports: [fileReport],
  examples: ['EXP USER', 'EXP USER: FORMAT=JSON, FILE=users-export.json, OVERWRITE=YES'],
  async handler({ services, console, clock, signal }, { FORMAT: format, FILE: file, OVERWRITE: overwrite }) {
    const name = file ?? datedName('users', clock.now(), format.toLowerCase());
    const count = { rows: 0 };
    const users = allUsers(services, signal, count);
    const pieces = format === 'JSON' ? toJson(users) : toCsv(users);
    const written = await console.files.write(name, pieces, overwrite);
    return { sections: [{ report: fileReport, rows: [{ ...written, ...count }] }] };
  },
});

async function* allUsers(
  services: Services,
  signal: AbortSignal,
  count: { rows: number },
): AsyncGenerator<UserView[]> {
  let after: string | undefined;
  for (;;) {
    if (signal.aborted) throw new MmlError(4006);
    const page = await services.users.list({ limit: PAGE, ...(after !== undefined && { after }) });
    count.rows += page.length;
    yield page;
    if (page.length < PAGE) return;
    after = page.at(-1)!.username;
  }
}

const PLAIN = ['username', 'displayName', 'phone', 'email', 'status', 'serviceType'] as const;

async function* toCsv(pages: AsyncIterable<UserView[]>): AsyncGenerator<string> {
  yield csvLine([...PLAIN, ...FEATURE_NAMES]);
  for await (const page of pages) yield page.map(csvOf).join('');
}

function csvOf(user: UserView): string {
  const features = FEATURE_NAMES.map((name) => user.features?.[name]);
  return csvLine([
    ...PLAIN.map((name) => user[name]),
    ...features.map((value) => (typeof value === 'boolean' ? String(value) : value)),
  ]);
}

async function* toJson(pages: AsyncIterable<UserView[]>): AsyncGenerator<string> {
  let before = '[\n';
  for await (const page of pages) {
    for (const user of page) {
      yield `${before}${JSON.stringify(user)}`;
      before = ',\n';
    }
  }
  yield before === '[\n' ? '[]\n' : '\n]\n';
}

/** Users and files: IMP, EXP USER. */
export const userFileCommands: readonly Command[] = [importUsers, exportUsers];
