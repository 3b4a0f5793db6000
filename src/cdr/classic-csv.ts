import { csvLine } from './csv.js';
import { localTime } from './local-time.js';
import type { CallRecord } from './types.js';

/** The 34 columns of the old server, in its order. Scripts count on both. */
export const CLASSIC_COLUMNS = [
  'record_id',
  'record_type',
  'call_state',
  'date',
  'start_time',
  'invite_time',
  'ringing_time',
  'answer_time',
  'bye_time',
  'end_time',
  'duration',
  'setup_time',
  'call_id',
  'caller_uri',
  'caller_number',
  'caller_ip',
  'caller_port',
  'user_agent',
  'callee_uri',
  'callee_number',
  'callee_ip',
  'callee_port',
  'contact',
  'status_code',
  'status_text',
  'termination_reason',
  'call_type',
  'codec',
  'expires',
  'message_body',
  'server_ip',
  'server_port',
  'cseq',
  'extra_info',
] as const;

type ClassicColumn = (typeof CLASSIC_COLUMNS)[number];

/** The header line of a classic file. */
export function classicHeader(): string {
  return csvLine(CLASSIC_COLUMNS);
}

/** A record as one classic line; times in `timeZone` (IANA name; the server's own when absent). */
export function classicLine(record: CallRecord, timeZone?: string): string {
  const values = classicValues(record, timeZone);
  return csvLine(CLASSIC_COLUMNS.map((column) => values[column]));
}

/** The word of the old server for how a record ended. */
export function classicState({ type, result, answerTime, expires }: CallRecord): string {
  if (type === 'REGISTER' && result === 'ANSWERED') return expires === 0 ? 'UNREGISTERED' : 'SUCCESS';
  if (type !== 'CALL') return result === 'ANSWERED' ? 'SUCCESS' : 'FAILED';
  if (answerTime !== undefined) return 'ENDED';
  return result === 'CANCELLED' ? 'CANCELLED' : 'FAILED';
}

function classicValues(
  record: CallRecord,
  timeZone?: string,
): Record<ClassicColumn, string | number | undefined> {
  const stamp = (wallMs: number | undefined) => {
    if (wallMs === undefined) return undefined;
    const { date, time } = localTime(wallMs, timeZone);
    return `${date} ${time}`;
  };
  const isCall = record.type === 'CALL';
  return {
    record_id: record.id,
    record_type: record.type,
    call_state: classicState(record),
    date: localTime(record.startTime, timeZone).date,
    start_time: stamp(record.startTime),
    invite_time: isCall ? stamp(record.startTime) : undefined,
    ringing_time: stamp(record.ringTime),
    answer_time: stamp(record.answerTime),
    bye_time: record.answerTime === undefined ? undefined : stamp(record.endTime),
    end_time: stamp(record.endTime),
    duration: record.billSec,
    setup_time: record.setupMs === undefined ? undefined : (record.setupMs / 1000).toFixed(3),
    call_id: record.callId,
    caller_uri: record.callerUri,
    caller_number: record.callerNumber,
    caller_ip: record.callerIp,
    caller_port: record.callerPort,
    user_agent: record.callerUserAgent,
    callee_uri: record.calleeUri,
    callee_number: record.calleeNumber ?? record.dialledNumber,
    callee_ip: record.calleeIp,
    callee_port: record.calleePort,
    contact: record.calleeContact,
    status_code: record.sipStatus,
    status_text: record.sipReason,
    termination_reason: record.releaseReason,
    call_type: record.direction,
    codec: [...new Set(record.media.flatMap(({ codec }) => codec ?? []))].join(' '),
    expires: record.expires,
    message_body: record.messageBody,
    server_ip: record.serverIp,
    server_port: record.serverPort,
    cseq: record.cseq,
    extra_info: record.extra && JSON.stringify(record.extra),
  };
}
