import { classicHeader, classicLine } from '../../cdr/classic-csv.js';
import { fullHeader, fullLine } from '../../cdr/full-csv.js';
import type { CallRecord } from '../../cdr/types.js';
import type { RecordQuery } from '../../store/types.js';
import { MmlError } from '../errors.js';
import { datedName } from '../exchange-files.js';
import { LONG_COMMAND_TIMEOUT_MS, MAX_ROWS } from '../limits.js';
import { type Command, defineCommand } from '../registry/command.js';
import { datetime } from '../registry/date-range.js';
import { oneOf } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { fileReport, OUTPUT_FILE, OVERWRITE } from './exchange-params.js';
import { filterParams, toQuery } from './record-commands.js';

interface Layout {
  readonly header: string;
  readonly line: (record: CallRecord) => string;
}

const LAYOUTS: Readonly<Record<string, Layout>> = {
  FULL: { header: fullHeader(), line: fullLine },
  CLASSIC: { header: classicHeader(), line: (record) => classicLine(record) },
};
const JSON_LINES: Layout = { header: '', line: (record) => `${JSON.stringify(record)}\n` };

const exportRecords = defineCommand({
  verb: 'EXP',
  object: 'CDR',
  purpose: text('Write call records to a file, oldest first', '导出话单到文件，按时间升序'),
  params: {
    ...filterParams,
    FORMAT: {
      type: oneOf(['CSV', 'JSON']),
      purpose: text('CSV, or one JSON object a line', 'CSV，或每行一个 JSON 对象'),
      default: 'CSV',
    },
    LAYOUT: {
      type: oneOf(['FULL', 'CLASSIC']),
      purpose: text("Columns of CSV: all, or the old server's 34", 'CSV 的列：全部，或旧服务器的 34 列'),
      default: 'FULL',
    },
    FILE: { ...OUTPUT_FILE, example: 'cdr.csv' },
    OVERWRITE,
  },
  timeoutMs: LONG_COMMAND_TIMEOUT_MS,
  reports: [fileReport],
  examples: [
    'EXP CDR',
    'EXP CDR FORMAT=CSV',
    'EXP CDR: DATE=2026-11, TYPE=CALL, LAYOUT=CLASSIC, FILE=november.csv, OVERWRITE=YES',
  ],
  async handler({ services, console, clock, signal }, values) {
    const layout = values.FORMAT === 'JSON' ? JSON_LINES : LAYOUTS[values.LAYOUT]!;
    const name = values.FILE ?? datedName('cdr', clock.now(), values.FORMAT === 'JSON' ? 'jsonl' : 'csv');
    const count = { rows: 0 };
    const pieces = allRecords(services, toQuery(values), layout, signal, count);
    const written = await console.files.write(name, pieces, values.OVERWRITE);
    return { sections: [{ report: fileReport, rows: [{ ...written, ...count }] }] };
  },
});

async function* allRecords(
  services: Services,
  query: RecordQuery,
  layout: Layout,
  signal: AbortSignal,
  count: { rows: number },
): AsyncGenerator<string> {
  yield layout.header;
  let cursor: string | undefined;
  do {
    if (signal.aborted) throw new MmlError(4006);
    const page = await services.records.query({
      ...query,
      order: 'asc',
      limit: MAX_ROWS,
      ...(cursor !== undefined && { cursor }),
    });
    count.rows += page.records.length;
    yield page.records.map(layout.line).join('');
    cursor = page.next;
  } while (cursor !== undefined);
}

const clearRecords = defineCommand({
  verb: 'CLR',
  object: 'CDR',
  purpose: text('Remove the records of calls that began before a day or time', '删除某日期之前的话单'),
  params: {
    BEFORE: {
      type: datetime,
      purpose: text('Day or time', '日期或时间'),
      required: true,
      example: '2026-01-01',
    },
  },
  dangerous: text('The records are gone for good; export them first.', '话单将永久删除，请先导出。'),
  timeoutMs: LONG_COMMAND_TIMEOUT_MS,
  examples: ['CLR CDR: BEFORE=2020-01-01', 'CLR CDR BEFORE=2020-01-01 CONFIRM=YES'],
  async handler({ services }, { BEFORE: before }) {
    const count = await services.removeRecordsBefore(before);
    return { note: text(`Records removed: ${count}`, `已删除话单：${count} 条`) };
  },
});

/** Records in files and their end: EXP, CLR CDR. */
export const recordFileCommands: readonly Command[] = [exportRecords, clearRecords];
