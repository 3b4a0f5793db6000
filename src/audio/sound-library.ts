import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SoundError } from './errors.js';
import { TONE_NAMES, type ToneName } from './tones.js';
import type { AudioHost, Sound, SoundFacts } from './types.js';

/** A file of the directory; nothing that leads out of it. */
const FILE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}\.wav$/i;
const TONE = /^tone:([a-z]{1,20})$/i;
/** Most files that are listed. */
const MAX_LISTED = 1000;

/** A sound that can be had, or why not. */
export interface ListedSound {
  readonly name: string;
  readonly durationMs?: number;
  readonly fault?: string;
}

/** Sounds by the names that operators write: `tone:busy`, or a WAV file of one directory. */
export class SoundLibrary {
  constructor(
    readonly directory: string,
    private readonly audio: Pick<AudioHost, 'check'>,
  ) {}

  /** What a name stands for; whether the file is there is seen when it is played. Throws SoundError. */
  find(name: string): Sound {
    const tone = TONE.exec(name)?.[1]?.toLowerCase();
    if (tone !== undefined) {
      if (!TONE_NAMES.includes(tone as ToneName))
        throw new SoundError(`there is no tone ${tone}; there are ${TONE_NAMES.join(', ')}`);
      return { tone: tone as ToneName };
    }
    if (!FILE_NAME.test(name))
      throw new SoundError(
        `${name.slice(0, 64)} is no sound: write the name of a .wav file in ${this.directory}, or tone:busy`,
      );
    return { file: join(this.directory, name) };
  }

  /** Length of a sound that can be played. Rejects with SoundError. */
  async check(name: string): Promise<SoundFacts> {
    return this.audio.check(this.find(name));
  }

  /** Tones and files, as they are called; no file is read. */
  async names(): Promise<string[]> {
    const files = (await readdir(this.directory).catch(() => []))
      .filter((name) => FILE_NAME.test(name))
      .sort();
    return [...TONE_NAMES.map((tone) => `tone:${tone}`), ...files].slice(0, MAX_LISTED);
  }

  /** Tones and files, each with its length, or with the reason why it cannot be played. */
  async list(): Promise<ListedSound[]> {
    const sounds: ListedSound[] = [];
    for (const name of await this.names()) {
      try {
        sounds.push({ name, ...(await this.check(name)) });
      } catch (error) {
        sounds.push({ name, fault: (error as Error).message });
      }
    }
    return sounds;
  }
}
