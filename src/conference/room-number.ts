import type { RoomReason } from '../routing/types.js';
import type { ConferenceSettings } from './types.js';

/** Least and most of each number of the settings. */
export const CONFERENCE_RANGES = { maxRooms: [1, 500], maxMembers: [2, 200] } as const;
/** Most ranges of numbers. */
export const MAX_RANGES = 20;
/** Longest number of a room. */
export const MAX_ROOM_LENGTH = 64;

const ROOM = /^[A-Za-z0-9._+-]{1,64}$/;
const PREFIX = /^[A-Za-z0-9._-]{1,32}$/;
const RANGE = /^(\d{1,20})(?:-(\d{1,20}))?$/;

/** Whether a text may be a prefix; empty for none. */
export function isPrefix(text: string): boolean {
  return text === '' || PREFIX.test(text);
}

/** Whether a text is a range of numbers of one length, `8000-8099`, or one number. */
export function isRange(text: string): boolean {
  const [, first = '', last = first] = RANGE.exec(text) ?? [];
  return first !== '' && first.length === last.length && first <= last;
}

/** What makes a number a room; undefined when nothing does. */
export function roomReason(
  { enabled, prefix, ranges }: Pick<ConferenceSettings, 'enabled' | 'prefix' | 'ranges'>,
  number: string,
): RoomReason | undefined {
  if (!enabled || !ROOM.test(number)) return undefined;
  if (prefix !== '' && number.length > prefix.length && number.startsWith(prefix))
    return { by: 'prefix', value: prefix };
  const range = ranges.find((one) => isIn(one, number));
  return range === undefined ? undefined : { by: 'range', value: range };
}

/** Numbers of one length are in the order of their text. */
function isIn(range: string, number: string): boolean {
  const [, first = '', last = first] = RANGE.exec(range) ?? [];
  return /^\d+$/.test(number) && number.length === first.length && number >= first && number <= last;
}
