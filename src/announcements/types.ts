import type { Sound } from '../audio/types.js';

/** What a caller may be told when nobody talks to it. */
export const ANNOUNCEMENT_NAMES = [
  'UNKNOWN',
  'BUSY',
  'NO_ANSWER',
  'UNREACHABLE',
  'REJECTED',
  'BARRED',
  'FAILED',
  'CODE_DONE',
  'CODE_REFUSED',
] as const;
export type AnnouncementName = (typeof ANNOUNCEMENT_NAMES)[number];

/** One announcement as it is set. */
export interface Announcement {
  readonly name: AnnouncementName;
  readonly enabled: boolean;
  /** `tone:busy`, or a file of SOUNDS_DIR. */
  readonly sound: string;
  /** Longest time, 1..60; a tone goes on as long, a file is played once. */
  readonly seconds: number;
}

/** Fields that an operator may change. */
export type AnnouncementInput = {
  readonly [K in 'enabled' | 'sound' | 'seconds']?: Announcement[K] | undefined;
};

/** An announcement ready to be played. */
export interface PlayableAnnouncement {
  readonly name: AnnouncementName;
  readonly sound: Sound;
  readonly loop: boolean;
  readonly maxMs: number;
}

/** Announcements, as consoles see them. Changes reject with AnnouncementError or SoundError, all with StoreError. */
export interface AnnouncementService {
  list(): Promise<Announcement[]>;
  modify(names: readonly AnnouncementName[], input: AnnouncementInput): Promise<Announcement[]>;
}

/** Announcements, as calls see them. */
export interface AnnouncementFinder {
  /**
   * At once, from memory; undefined when it is off or has no sound. Never throws. What another process changed is looked for at a
   * call, every two seconds at most, and holds from the next call on.
   */
  find(name: AnnouncementName): PlayableAnnouncement | undefined;
}
