import type { SoundLibrary } from '../audio/sound-library.js';
import type { Collection, Store } from '../store/types.js';
import { DialError } from './errors.js';
import type { DialSettings, DialSettingsInput } from './types.js';

/** Key in the `settings` collection. */
const KEY = 'dial-service';

const DEFAULTS: DialSettings = {
  enabled: true,
  caller: '',
  sound: '',
  parallel: 5,
  maxParallel: 50,
  noAnswerSec: 30,
  repeat: 1,
  retries: 0,
  retrySec: 60,
};

/** Least and most of each number. */
export const DIAL_RANGES = {
  parallel: [1, 100],
  maxParallel: [1, 500],
  noAnswerSec: [5, 120],
  repeat: [1, 10],
  retries: [0, 5],
  retrySec: [5, 3600],
} as const;

/** Throws DialError when a number is out of its range. */
export function checkRanges(input: DialSettingsInput): void {
  for (const [name, [least, most]] of Object.entries(DIAL_RANGES)) {
    const value = input[name as keyof typeof DIAL_RANGES];
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
      throw new DialError('FIELD_INVALID', `${name} is ${least} to ${most}`);
  }
}

/** The settings of the dial service in the Store. */
export class StoredDialSettings {
  private readonly settings: Collection;

  constructor(
    store: Store,
    private readonly sounds: Pick<SoundLibrary, 'check'>,
  ) {
    this.settings = store.collection('settings');
  }

  async read(): Promise<DialSettings> {
    const stored = (await this.settings.get(KEY)) as Partial<DialSettings> | undefined;
    return { ...DEFAULTS, ...stored };
  }

  /** Undefined fields stay. Rejects with DialError or SoundError. */
  async modify(input: DialSettingsInput): Promise<DialSettings> {
    checkRanges(input);
    if (input.sound) await this.sounds.check(input.sound);
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
    const settings: DialSettings = { ...(await this.read()), ...given };
    await this.settings.put(KEY, { ...settings });
    return settings;
  }
}
