import type { Json } from '../../store/types.js';
import type { Instant, RecordFacts } from '../build-record.js';
import type { CallRecord, TimelineEntry } from '../types.js';
import { crc32 } from './crc32.js';

/** Version of the lines below; another one is not read. */
export const JOURNAL_VERSION = 1;
/** Longest line, bytes. A longer one is damage. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;
const CRC_LENGTH = 8;

/** One line of the journal. */
export type JournalEntry =
  /** First line of a segment: which run of the server wrote it. */
  | ({ readonly k: 'segment'; readonly version: number; readonly run: string } & Instant)
  | { readonly k: 'open'; readonly facts: RecordFacts }
  | { readonly k: 'event'; readonly id: string; readonly entry: TimelineEntry }
  /** What the call of an open record goes on with after a restart; the last one counts. */
  | { readonly k: 'state'; readonly id: string; readonly state: Json }
  /** An open record carried over from an older segment, whole. */
  | {
      readonly k: 'snapshot';
      readonly facts: RecordFacts;
      readonly timeline: readonly TimelineEntry[];
      readonly state?: Json | undefined;
    }
  /** All that is open was alive at this time. */
  | ({ readonly k: 'beat' } & Instant)
  | { readonly k: 'close'; readonly record: CallRecord }
  /** The Store has these. */
  | { readonly k: 'stored'; readonly ids: readonly string[] };

/** `checksum SP json LF`: JSON holds no line break of its own. */
export function encodeLine(entry: JournalEntry): Buffer {
  const body = Buffer.from(` ${JSON.stringify(entry)}\n`);
  const crc = crc32(body.subarray(1, -1)).toString(16).padStart(CRC_LENGTH, '0');
  return Buffer.concat([Buffer.from(crc), body]);
}

/** Reads a line without its LF; undefined when it is damaged. */
export function decodeLine(line: Buffer): JournalEntry | undefined {
  if (line.length < CRC_LENGTH + 3 || line[CRC_LENGTH] !== 0x20) return undefined;
  const body = line.subarray(CRC_LENGTH + 1);
  if (line.toString('latin1', 0, CRC_LENGTH) !== crc32(body).toString(16).padStart(CRC_LENGTH, '0'))
    return undefined;
  try {
    return JSON.parse(body.toString('utf8')) as JournalEntry;
  } catch {
    return undefined;
  }
}
