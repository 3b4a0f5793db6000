import { csvLine } from '../../cdr/csv.js';
import { MmlError } from '../errors.js';
import { datedName } from '../exchange-files.js';
import { LONG_COMMAND_TIMEOUT_MS } from '../limits.js';
import { type Command, defineCommand, type ReportSpec } from '../registry/command.js';
import { dateRange } from '../registry/date-range.js';
import { number, oneOf, string } from '../registry/param-types.js';
import type { OperationEntry } from '../session/operation-log.js';
import { text } from '../text.js';
import { fileReport, OUTPUT_FILE, OVERWRITE } from './exchange-params.js';
import { LIMIT } from './paging.js';

const operationReport: ReportSpec = {
  name: 'operations',
  title: text('Operation log', '操作日志'),
  layout: 'table',
  columns: [
    { key: 'n', title: text('No.', '编号') },
    { key: 'at', title: text('Time', '时间'), format: 'time' },
    { key: 'operator', title: text('Operator', '操作员') },
    { key: 'address', title: text('Address', '地址') },
    { key: 'session', title: text('Session', '会话号') },
    { key: 'retcode', title: text('RETCODE', 'RETCODE') },
    { key: 'durationMs', title: text('Took', '耗时'), format: 'milliseconds' },
    { key: 'command', title: text('Command', '命令') },
  ],
};

const listOperations = defineCommand({
  verb: 'LST',
  object: 'OPLOG',
  purpose: text('List what operators did, newest first; secrets are masked', '查询操作日志'),
  params: {
    DATE: { type: dateRange, purpose: text('Day or range', '日期或范围'), keyword: true, example: 'TODAY' },
    OPERATOR: { type: string({ max: 64 }), purpose: text('Operator', '操作员'), example: 'admin' },
    KEYWORD: { type: string(), purpose: text('Part of the command', '命令中的文字'), example: 'RMV' },
    LIMIT,
  },
  role: 'OPERATOR',
  reports: [operationReport],
  examples: ['LST OPLOG', 'LST OPLOG: DATE=TODAY, OPERATOR=admin, KEYWORD=RMV'],
  async handler({ console }, { DATE: date, OPERATOR: operator, KEYWORD: keyword, LIMIT: limit }) {
    const rows = await console.operations({
      limit,
      ...date,
      ...(operator !== undefined && { operator }),
      ...(keyword !== undefined && { keyword }),
    });
    return { sections: [{ report: operationReport, rows: rows.map((entry) => ({ ...entry })) }] };
  },
});

const exportOperations = defineCommand({
  verb: 'EXP',
  object: 'OPLOG',
  purpose: text('Write the operation log to a file, oldest first', '导出操作日志到文件，按时间升序'),
  params: {
    DATE: { type: dateRange, purpose: text('Day or range', '日期或范围'), keyword: true, example: 'TODAY' },
    OPERATOR: { type: string({ max: 64 }), purpose: text('Operator', '操作员'), example: 'admin' },
    FORMAT: {
      type: oneOf(['CSV', 'JSON']),
      purpose: text('CSV, or JSON lines', 'CSV 或 JSON 行'),
      default: 'CSV',
    },
    FILE: { ...OUTPUT_FILE, example: 'oplog.csv' },
    OVERWRITE,
  },
  timeoutMs: LONG_COMMAND_TIMEOUT_MS,
  reports: [fileReport],
  examples: ['EXP OPLOG', 'EXP OPLOG: DATE=TODAY, FORMAT=JSON, FILE=oplog.jsonl, OVERWRITE=YES'],
  async handler({ console, clock }, { DATE: date, OPERATOR: operator, FORMAT: format, ...to }) {
    const limit = Number.POSITIVE_INFINITY;
    const found = await console.operations({ limit, ...date, ...(operator !== undefined && { operator }) });
    const entries = [...found].reverse();
    const name = to.FILE ?? datedName('oplog', clock.now(), format === 'JSON' ? 'jsonl' : 'csv');
    const pieces = format === 'JSON' ? entries.map((entry) => `${JSON.stringify(entry)}\n`) : toCsv(entries);
    const written = await console.files.write(name, pieces, to.OVERWRITE);
    return { sections: [{ report: fileReport, rows: [{ ...written, rows: entries.length }] }] };
  },
});

const CSV_COLUMNS = [
  'n',
  'operator',
  'role',
  'address',
  'session',
  'retcode',
  'durationMs',
  'command',
] as const;

function* toCsv(entries: readonly OperationEntry[]): Generator<string> {
  yield csvLine(['time', ...CSV_COLUMNS]);
  for (const entry of entries)
    yield csvLine([new Date(entry.at).toISOString(), ...CSV_COLUMNS.map((column) => entry[column])]);
}

const checkReport: ReportSpec = {
  name: 'operationLog',
  title: text('Operation log', '操作日志'),
  columns: [
    { key: 'entries', title: text('Entries', '条数') },
    { key: 'first', title: text('First', '首条编号') },
    { key: 'n', title: text('Newest', '最新编号') },
    { key: 'hash', title: text('Its hash', '最新散列值') },
  ],
};

const checkOperations = defineCommand({
  verb: 'CHK',
  object: 'OPLOG',
  purpose: text(
    'Check that nobody changed the operation log: each entry holds the hash of the one before; with N and HASH of an earlier check, that nothing was cut off since',
    '核查操作日志是否被改动：每条含前一条的散列值；给出以前核查的 N 与 HASH 还可发现尾部被截断',
  ),
  params: {
    N: {
      type: number(1, 1e12),
      purpose: text('Number that an earlier check gave as newest', '以前核查的最新编号'),
      example: '120',
    },
    HASH: { type: string({ max: 64 }), purpose: text('Its hash', '其散列值'), example: 'q83vEjRWeJA' },
  },
  timeoutMs: LONG_COMMAND_TIMEOUT_MS,
  reports: [checkReport],
  examples: ['CHK OPLOG'],
  async handler({ console }, { N: n, HASH: hash }) {
    if ((n === undefined) !== (hash === undefined))
      throw new MmlError(2002, {
        names: n === undefined ? 'N' : 'HASH',
        example: 'CHK OPLOG: N=120, HASH=q83vEjRWeJA',
      });
    const noted = n === undefined || hash === undefined ? undefined : { n, hash };
    const { entries, first, head, faults } = await console.checkOperations(noted);
    const [fault] = faults;
    if (fault) throw new MmlError(4007, { count: faults.length, ...fault });
    return { sections: [{ report: checkReport, rows: [{ entries, first, n: head.n, hash: head.hash }] }] };
  },
});

/** The operation log: LST, EXP, CHK OPLOG. */
export const operationCommands: readonly Command[] = [listOperations, exportOperations, checkOperations];
