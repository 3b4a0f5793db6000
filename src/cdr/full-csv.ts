import { csvLine } from './csv.js';
import type { CallRecord } from './types.js';

/** All fields of a record that are one value, by our own names; lists stand as JSON. Times are ISO 8601 in UTC. */
export const FULL_COLUMNS = [
  'id',
  'type',
  'result',
  'startTime',
  'ringTime',
  'answerTime',
  'endTime',
  'durationMs',
  'billSec',
  'setupMs',
  'pddMs',
  'callId',
  'bCallIds',
  'callerUri',
  'callerNumber',
  'callerName',
  'callerIp',
  'callerPort',
  'callerTransport',
  'callerUserAgent',
  'calleeUri',
  'calleeNumber',
  'dialledNumber',
  'calleeContact',
  'calleeIp',
  'calleePort',
  'calleeTransport',
  'calleeUserAgent',
  'sipStatus',
  'sipReason',
  'q850Cause',
  'releaseParty',
  'releaseReason',
  'direction',
  'trunkIn',
  'trunkOut',
  'route',
  'group',
  'originatedBy',
  'pickedUpBy',
  'announcement',
  'conferenceId',
  'transferredBy',
  'transferredTo',
  'transferTime',
  'forwardedBy',
  'diversions',
  'attempts',
  'media',
  'dtmfCount',
  'holdMs',
  'reinvites',
  'expires',
  'messageBody',
  'node',
  'engine',
  'serverIp',
  'serverPort',
  'cseq',
  'extra',
] as const satisfies readonly (keyof CallRecord)[];

const TIMES: readonly string[] = ['startTime', 'ringTime', 'answerTime', 'endTime'];

/** The header line of a file with all fields. */
export function fullHeader(): string {
  return csvLine(FULL_COLUMNS);
}

/** A record as one line with all its fields. */
export function fullLine(record: CallRecord): string {
  return csvLine(FULL_COLUMNS.map((column) => toCell(column, record[column])));
}

/** A record as one line of JSON. */
export function jsonLine(record: CallRecord): string {
  return `${JSON.stringify(record)}\n`;
}

function toCell(column: string, value: CallRecord[keyof CallRecord]): string | number | undefined {
  if (typeof value === 'number') return TIMES.includes(column) ? new Date(value).toISOString() : value;
  return typeof value === 'object' ? JSON.stringify(value) : value;
}
