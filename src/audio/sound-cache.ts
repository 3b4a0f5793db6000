import { open } from 'node:fs/promises';
import { errorMessage } from '../platform/errors.js';
import { SoundError } from './errors.js';
import { makeTone } from './tones.js';
import type { Sound } from './types.js';
import { decodeWav } from './wav.js';

/** Largest file that is read, bytes: about half an hour of 16-bit mono. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;
/** Decoded samples kept in all, bytes; the one that was used longest ago goes first. */
const MAX_CACHED_BYTES = 64 * 1024 * 1024;

interface Kept {
  readonly samples: Int16Array;
  /** Of the file when it was read: a changed file is read anew. */
  readonly stamp: string;
}

/** Sounds ready to be played. Files are read when they are first wanted, and again when they have changed. */
export class SoundCache {
  private readonly kept = new Map<string, Kept>();
  /** Reads under way, by path. */
  private readonly reads = new Map<string, Promise<Int16Array>>();
  private bytes = 0;

  constructor(private readonly maxBytes = MAX_CACHED_BYTES) {}

  /** Bytes of samples kept. */
  get size(): number {
    return this.bytes;
  }

  /** The samples of a sound, 8 kHz mono. Rejects with SoundError. */
  async load(sound: Sound): Promise<Int16Array> {
    if ('tone' in sound) return this.keep(`tone:${sound.tone}`, '', () => makeTone(sound.tone));
    try {
      return await this.read(sound.file);
    } catch (error) {
      if (error instanceof SoundError) throw new SoundError(`${sound.file}: ${error.message}`, error);
      throw new SoundError(`${sound.file} cannot be read: ${errorMessage(error)}`, error);
    }
  }

  /** One read for all who want a file at once. */
  private read(path: string): Promise<Int16Array> {
    const begun = this.reads.get(path);
    if (begun) return begun;
    const read = this.loadFile(path).finally(() => this.reads.delete(path));
    this.reads.set(path, read);
    return read;
  }

  private async loadFile(path: string): Promise<Int16Array> {
    const file = await open(path, 'r');
    try {
      const facts = await file.stat();
      if (!facts.isFile()) throw new SoundError('no file');
      if (facts.size > MAX_FILE_BYTES) throw new SoundError(`larger than ${MAX_FILE_BYTES >> 20} MiB`);
      const stamp = `${facts.size}/${facts.mtimeMs}`;
      const kept = this.kept.get(path);
      if (kept?.stamp === stamp) return this.keep(path, stamp, () => kept.samples);
      const samples = decodeWav(await file.readFile());
      return this.keep(path, stamp, () => samples);
    } finally {
      await file.close();
    }
  }

  /** Puts a sound at the end of the order in which they go. */
  private keep(key: string, stamp: string, make: () => Int16Array): Int16Array {
    const old = this.kept.get(key);
    const samples = old?.stamp === stamp ? old.samples : make();
    if (old) this.drop(key, old);
    this.kept.set(key, { samples, stamp });
    this.bytes += samples.byteLength;
    for (const [oldest, one] of this.kept) {
      if (this.bytes <= this.maxBytes) break;
      this.drop(oldest, one);
    }
    return samples;
  }

  private drop(key: string, { samples }: Kept): void {
    this.kept.delete(key);
    this.bytes -= samples.byteLength;
  }
}
