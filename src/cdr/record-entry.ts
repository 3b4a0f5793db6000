import type { Json, RecordEntry } from '../store/types.js';
import type { CallRecord } from './types.js';

/** A record as the Store keeps it: found by time, type, result, caller, and callee. */
export function toEntry(record: CallRecord): RecordEntry {
  return {
    id: record.id,
    time: record.startTime,
    type: record.type,
    result: record.result,
    caller: record.callerNumber,
    callee: record.calleeNumber ?? record.dialledNumber,
    body: record as unknown as Json,
  };
}

/** The record of an entry. */
export function fromEntry(entry: RecordEntry): CallRecord {
  return entry.body as unknown as CallRecord;
}
