import { invalidArgument } from './errors.js';

/** Where a record stands in the order of queries: by start time, then by id. */
export interface RecordPosition {
  readonly time: number;
  readonly id: string;
}

/** Orders positions oldest first. */
export function comparePositions(a: RecordPosition, b: RecordPosition): number {
  if (a.time !== b.time) return a.time - b.time;
  return Buffer.compare(Buffer.from(a.id), Buffer.from(b.id));
}

/** The cursor that continues after `position`. Opaque to callers; stays good when records come or go. */
export function toCursor(position: RecordPosition): string {
  return `${position.time.toString(36)}.${position.id}`;
}

/** Reads a cursor. Throws StoreError (STORE_ARGUMENT_INVALID) when it is none of ours. */
export function parseCursor(cursor: string): RecordPosition {
  const match = /^([0-9a-z]{1,10})\.(.+)$/s.exec(cursor);
  if (!match) throw invalidArgument('cursor cannot be read');
  return { time: Number.parseInt(match[1]!, 36), id: match[2]! };
}
