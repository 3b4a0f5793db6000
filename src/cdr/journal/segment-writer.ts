import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Segment } from './recover-journal.js';
import { segmentPath } from './segment-file.js';

/** Appends to one segment. What a failed write left behind is cut off before the next one. */
export class SegmentWriter {
  private constructor(
    readonly segment: Segment,
    private readonly file: FileHandle,
  ) {}

  /** Makes a new segment with its first line on disk. Rejects when the disk takes nothing. */
  static async create(directory: string, number: number, header: Buffer): Promise<SegmentWriter> {
    const path = segmentPath(directory, number);
    // A half-made segment of a failed try may be there; nothing in it was promised to anybody.
    const file = await open(path, 'w', 0o600);
    const writer = new SegmentWriter({ path, number, bytes: 0, ids: new Set() }, file);
    try {
      await writer.append(header);
      await syncDirectory(dirname(path));
    } catch (error) {
      await file.close();
      throw error;
    }
    return writer;
  }

  /** Writes and syncs; resolves when the bytes are on disk. On rejection the segment is as it was before. */
  async append(bytes: Buffer): Promise<void> {
    const start = this.segment.bytes;
    try {
      let written = 0;
      while (written < bytes.length) {
        const result = await this.file.write(bytes, written, bytes.length - written, start + written);
        written += result.bytesWritten;
      }
      await this.file.datasync();
      this.segment.bytes = start + bytes.length;
    } catch (error) {
      await this.file.truncate(start).catch(() => undefined);
      throw error;
    }
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Makes the names in a directory outlive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
