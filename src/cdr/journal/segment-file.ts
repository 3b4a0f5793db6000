import { createReadStream } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeLine, type JournalEntry, MAX_LINE_BYTES } from './journal-line.js';

const SEGMENT_NAME = /^(\d{12})\.journal$/;

/** A place in a segment where one line stands, LF included. */
export interface Location {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** One line as read: its entry, or what is wrong with it. `torn` is a last line that was never finished. */
export type ReadLine = Location & { readonly entry?: JournalEntry; readonly fault?: 'corrupt' | 'torn' };

/** Path of the segment with this number. */
export function segmentPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(12, '0')}.journal`);
}

/** Segments of a directory, oldest first. Other files are left alone. */
export async function listSegments(directory: string): Promise<{ path: string; number: number }[]> {
  const names = (await readdir(directory)).filter((name) => SEGMENT_NAME.test(name)).sort();
  return names.map((name) => ({ path: join(directory, name), number: Number(SEGMENT_NAME.exec(name)![1]) }));
}

/** Reads a segment line by line; damaged lines are told and passed over. */
export async function* readSegment(path: string): AsyncGenerator<ReadLine> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
    let bytes: Buffer = rest.length > 0 ? Buffer.concat([rest, chunk as Buffer]) : (chunk as Buffer);
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a)) {
      if (end > 0) yield* toReadLines(path, offset, bytes.subarray(0, end));
      offset += end + 1;
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > MAX_LINE_BYTES) {
      // What follows up to the next line break cannot be read as a line either.
      yield { path, offset, length: bytes.length, fault: 'corrupt' };
      offset += bytes.length;
      bytes = Buffer.alloc(0);
    }
    rest = bytes;
  }
  if (rest.length > 0) yield { path, offset, length: rest.length, fault: 'torn' };
}

/** Reads the one line at a place; undefined when it is damaged. Rejects when the file cannot be read. */
export async function readLine({ path, offset, length }: Location): Promise<JournalEntry | undefined> {
  const file = await open(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytesRead === length ? decodeLine(bytes.subarray(0, -1)) : undefined;
  } finally {
    await file.close();
  }
}

/** A line; or, when a power cut or a truncation left a hole of zeros before it, the hole and the line. */
function* toReadLines(path: string, offset: number, line: Buffer): Generator<ReadLine> {
  const hole = line.lastIndexOf(0) + 1;
  if (hole > 0) yield { path, offset, length: hole, fault: 'corrupt' };
  const place = { path, offset: offset + hole, length: line.length - hole + 1 };
  const entry = decodeLine(line.subarray(hole));
  yield entry ? { ...place, entry } : { ...place, fault: 'corrupt' };
}
