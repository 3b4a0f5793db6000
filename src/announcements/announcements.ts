import type { SoundLibrary } from '../audio/sound-library.js';
import type { Sound } from '../audio/types.js';
import { type Clock, systemClock } from '../platform/clock.js';
import { AppError, errorMessage } from '../platform/errors.js';
import type { Logger } from '../platform/logger.js';
import type { Collection, Store } from '../store/types.js';
import {
  ANNOUNCEMENT_NAMES,
  type Announcement,
  type AnnouncementFinder,
  type AnnouncementInput,
  type AnnouncementName,
  type AnnouncementService,
  type PlayableAnnouncement,
} from './types.js';

/** Key in the `settings` collection; what is not in it is as DEFAULTS has it. */
const KEY = 'announcements';
/** How long what was read is taken as unchanged; a call after that has it read anew, for those after it. */
const FRESH_MS = 2000;
const [MIN_SECONDS, MAX_SECONDS] = [1, 60];
const DEFAULT_SECONDS = 10;

/** Sounds that need no file: the tones that networks have for it (ITU-T E.180). */
const DEFAULT_SOUNDS: Readonly<Record<AnnouncementName, string>> = {
  UNKNOWN: 'tone:sit',
  BUSY: 'tone:busy',
  NO_ANSWER: 'tone:congestion',
  UNREACHABLE: 'tone:sit',
  REJECTED: 'tone:busy',
  BARRED: 'tone:sit',
  FAILED: 'tone:congestion',
  CODE_DONE: 'tone:join',
  CODE_REFUSED: 'tone:leave',
};

type Stored = Partial<Record<AnnouncementName, Omit<Announcement, 'name'>>>;

/** A change of an announcement that cannot be made. */
export class AnnouncementError extends AppError {
  constructor(message: string) {
    super('FIELD_INVALID', message);
  }
}

/** Announcements in the Store, all of them off at first. */
export class StoredAnnouncements implements AnnouncementService, AnnouncementFinder {
  private readonly settings: Collection;
  private readonly clock: Clock;
  private known: Stored = {};
  private knownAtMs = Number.NEGATIVE_INFINITY;
  private isReading = false;

  constructor(
    private readonly options: {
      readonly store: Store;
      readonly sounds: SoundLibrary;
      readonly log: Logger;
      readonly clock?: Clock;
    },
  ) {
    this.settings = options.store.collection('settings');
    this.clock = options.clock ?? systemClock;
    this.refresh();
  }

  find(name: AnnouncementName): PlayableAnnouncement | undefined {
    if (this.clock.monotonic() - this.knownAtMs > FRESH_MS) this.refresh();
    const stored = this.known[name];
    if (!stored?.enabled) return undefined;
    const sound = this.sound(name, stored.sound);
    return sound && { name, sound, loop: 'tone' in sound, maxMs: stored.seconds * 1000 };
  }

  async list(): Promise<Announcement[]> {
    const stored = await this.read();
    return ANNOUNCEMENT_NAMES.map((name) => announcementOf(name, stored));
  }

  async modify(names: readonly AnnouncementName[], input: AnnouncementInput): Promise<Announcement[]> {
    const { seconds, sound, enabled } = input;
    if (seconds !== undefined && !(seconds >= MIN_SECONDS && seconds <= MAX_SECONDS))
      throw new AnnouncementError(`an announcement takes ${MIN_SECONDS} to ${MAX_SECONDS} s`);
    if (sound !== undefined) await this.options.sounds.check(sound);
    const stored = await this.read();
    const changed = names.map((name) => {
      const before = announcementOf(name, stored);
      return {
        name,
        enabled: enabled ?? before.enabled,
        sound: sound ?? before.sound,
        seconds: seconds ?? before.seconds,
      };
    });
    // What is switched on has to be playable now, not at the first call.
    for (const one of changed) if (one.enabled) await this.options.sounds.check(one.sound);
    const entries = changed.map(({ name, ...rest }) => [name, rest] as const);
    const next = { ...stored, ...Object.fromEntries(entries) };
    await this.settings.put(KEY, next);
    this.remember(next);
    return changed;
  }

  /** What is in the Store may be older than this version, or written by another. */
  private sound(name: AnnouncementName, sound: string): Sound | undefined {
    try {
      return this.options.sounds.find(sound);
    } catch (error) {
      this.options.log.warn({ name, reason: errorMessage(error) }, 'an announcement has no sound');
      return undefined;
    }
  }

  private async read(): Promise<Stored> {
    return ((await this.settings.get(KEY)) ?? {}) as Stored;
  }

  private remember(stored: Stored): void {
    this.known = stored;
    this.knownAtMs = this.clock.monotonic();
  }

  private refresh(): void {
    if (this.isReading) return;
    this.isReading = true;
    const before = this.knownAtMs;
    this.read()
      .then((stored) => {
        // A change made here meanwhile is newer.
        if (this.knownAtMs === before) this.remember(stored);
      })
      .catch((error: unknown) => {
        this.knownAtMs = this.clock.monotonic();
        this.options.log.debug({ reason: errorMessage(error) }, 'announcements are as last known');
      })
      .finally(() => {
        this.isReading = false;
      });
  }
}

function announcementOf(name: AnnouncementName, stored: Stored): Announcement {
  const base = { enabled: false, sound: DEFAULT_SOUNDS[name], seconds: DEFAULT_SECONDS };
  return { name, ...base, ...stored[name] };
}
