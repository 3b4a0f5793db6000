import { once } from 'node:events';
import { Command } from 'commander';
import { classicHeader, classicLine } from '../cdr/classic-csv.js';
import { fullHeader, fullLine } from '../cdr/full-csv.js';
import { fromEntry } from '../cdr/record-entry.js';
import type { CallRecord } from '../cdr/types.js';
import type { RecordQuery } from '../store/types.js';
import { settingsOf, withSettings } from './settings.js';
import { withStore } from './with-store.js';

type Options = Record<string, string | boolean | undefined>;
const PAGE_MAX = 500;
const LAST_DEFAULT = 20;

/** How `ims cdr export` writes: a header, and a line a record. */
const LAYOUTS: Readonly<Record<string, { header: string; line: (record: CallRecord) => string }>> = {
  FULL: { header: fullHeader(), line: fullLine },
  CLASSIC: { header: classicHeader(), line: (record) => classicLine(record) },
};

/** `ims cdr list|export`: stored records; those that wait in a running server's journal come later. */
export function cdrCommand(): Command {
  const command = new Command('cdr').description('call detail records: list, export');
  command.addCommand(listCommand());
  command.addCommand(exportCommand());
  return command;
}

function listCommand(): Command {
  return queryCommand('list', 'the last records, newest first')
    .option('--last <count>', `how many [${LAST_DEFAULT}]`)
    .option('--json', 'one JSON object a line')
    .action(async (options: Options) => {
      const count = Number(options['last'] ?? LAST_DEFAULT);
      await eachRecord(options, 'desc', count, (record) =>
        options['json'] ? `${JSON.stringify(record)}\n` : line(record),
      );
    });
}

function exportCommand(): Command {
  return queryCommand('export', 'all records as CSV on standard output, oldest first')
    .option('--layout <layout>', "full, or classic: the old server's 34 columns [full]")
    .action(async (options: Options, command: Command) => {
      const layout = LAYOUTS[String(options['layout'] ?? 'full').toUpperCase()];
      if (!layout) return command.error("ims cdr export: --layout is 'full' or 'classic'");
      process.stdout.write(layout.header);
      await eachRecord(options, 'asc', Number.POSITIVE_INFINITY, layout.line);
    });
}

function queryCommand(name: string, description: string): Command {
  return withSettings(new Command(name).description(description), ['STORE_URL', 'DATA_DIR'])
    .option('--number <number>', 'calls from or to a number')
    .option('--result <result>', 'ANSWERED, FAILED, CANCELLED, NO_ANSWER, BUSY, REJECTED, ABNORMAL')
    .option('--type <type>', 'CALL, MESSAGE or REGISTER');
}

/** Prints up to `count` records page by page, no faster than they are read. */
async function eachRecord(
  options: Options,
  order: 'asc' | 'desc',
  count: number,
  print: (record: CallRecord) => string,
): Promise<void> {
  const { config } = settingsOf(options);
  await withStore(config, async (store) => {
    let left = count;
    let cursor: string | undefined;
    do {
      const limit = Math.min(left, PAGE_MAX);
      const page = await store.records.query({
        ...queryOf(options),
        order,
        limit,
        ...(cursor !== undefined && { cursor }),
      });
      const text = page.records.map((entry) => print(fromEntry(entry))).join('');
      if (!process.stdout.write(text)) await once(process.stdout, 'drain');
      left -= page.records.length;
      cursor = page.next;
    } while (cursor !== undefined && left > 0);
  });
}

function line(record: CallRecord): string {
  const { type, callerNumber, dialledNumber, result, sipStatus, billSec, releaseReason } = record;
  const time = new Date(record.startTime).toISOString();
  return `${time}  ${type.padEnd(8)}  ${callerNumber.padEnd(12)} ${dialledNumber.padEnd(12)} ${result.padEnd(10)} ${sipStatus}  ${String(billSec).padStart(5)} s  ${releaseReason}\n`;
}

function queryOf(options: Options): RecordQuery {
  const query: Record<string, string> = {};
  for (const key of ['number', 'result', 'type'] as const) {
    const value = options[key];
    if (typeof value === 'string') query[key] = key === 'number' ? value : value.toUpperCase();
  }
  return query;
}
