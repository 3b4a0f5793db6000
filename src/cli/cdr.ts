import { Command } from 'commander';
import type { RecordQuery } from '../store/types.js';
import { settingsOf, withSettings } from './settings.js';
import { withStore } from './with-store.js';

type Options = Record<string, string | boolean | undefined>;
const PAGE_MAX = 500;
const LAST_DEFAULT = 20;

/** `ims cdr list|export`: stored records, newest first; records that wait in a running server's journal come later. */
export function cdrCommand(): Command {
  const command = new Command('cdr').description('call detail records: list, export');
  command.addCommand(queryCommand('list', 'the last records').option('--json', 'one JSON object a line'));
  return command;
}

function queryCommand(name: string, description: string): Command {
  return withSettings(new Command(name).description(description), ['STORE_URL', 'DATA_DIR'])
    .option('--last <count>', `how many, newest first [${LAST_DEFAULT}]`)
    .option('--number <number>', 'calls from or to a number')
    .option('--result <result>', 'ANSWERED, FAILED, CANCELLED, NO_ANSWER, BUSY, REJECTED, ABNORMAL')
    .option('--type <type>', 'CALL or REGISTER')
    .action(async (options: Options) => {
      const { config } = settingsOf(options);
      await withStore(config, async (store) => {
        let left = Number(options['last'] ?? LAST_DEFAULT);
        let cursor: string | undefined;
        do {
          const page = await store.records.query({
            ...queryOf(options),
            limit: Math.min(left, PAGE_MAX),
            ...(cursor !== undefined && { cursor }),
          });
          for (const { body } of page.records) {
            process.stdout.write(
              options['json'] ? `${JSON.stringify(body)}\n` : line(body as unknown as Row),
            );
          }
          left -= page.records.length;
          cursor = page.next;
        } while (cursor !== undefined && left > 0);
      });
    });
}

interface Row {
  readonly startTime: number;
  readonly type: string;
  readonly callerNumber: string;
  readonly dialledNumber: string;
  readonly result: string;
  readonly sipStatus: number;
  readonly billSec: number;
  readonly releaseReason: string;
}

function line(row: Row): string {
  const { type, callerNumber, dialledNumber, result, sipStatus, billSec, releaseReason } = row;
  const time = new Date(row.startTime).toISOString();
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
