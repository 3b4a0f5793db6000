import { CachedCollection } from '../numbering/cached-collection.js';
import type { Clock } from '../platform/clock.js';
import type { Store } from '../store/types.js';
import { ConferenceError, invalid, unknown } from './errors.js';
import { CONFERENCE_RANGES, isPrefix, isRange, MAX_RANGES, roomReason } from './room-number.js';
import type { ConferenceSettings, ConferenceSettingsInput, Page, RoomInput, StoredRoom } from './types.js';

/** Key in the `settings` collection. */
const KEY = 'conference';
const MAX_ROOMS = 1000;
const MAX_NAME_LENGTH = 128;
const CONTROL = /[\u0000-\u001f\u007f]/;

const DEFAULTS: ConferenceSettings = {
  enabled: true,
  prefix: 'conf_',
  ranges: [],
  isOpen: true,
  maxRooms: 50,
  maxMembers: 20,
  hasTones: true,
};

/** The settings of conferences and the rooms that operators made, in the Store. */
export class StoredRooms {
  private readonly stored: CachedCollection<StoredRoom>;
  private readonly kept: CachedCollection<Partial<ConferenceSettings>>;

  constructor(store: Pick<Store, 'collection'>, clock: Clock) {
    this.stored = new CachedCollection(store.collection('conferences'), clock);
    this.kept = new CachedCollection(store.collection('settings'), clock);
  }

  /** For calls, from memory where it can. */
  async settings(): Promise<ConferenceSettings> {
    return { ...DEFAULTS, ...(await this.kept.get(KEY)) };
  }

  /** For calls, from memory where it can. */
  get(room: string): Promise<StoredRoom | undefined> {
    return this.stored.get(room);
  }

  list(page: Page = {}): Promise<StoredRoom[]> {
    return this.stored.list(page);
  }

  /** Undefined fields stay. */
  async modify(input: ConferenceSettingsInput): Promise<ConferenceSettings> {
    const { prefix, ranges } = input;
    for (const [name, [least, most]] of Object.entries(CONFERENCE_RANGES))
      checkNumber(name, input[name as keyof typeof CONFERENCE_RANGES], least, most);
    if (prefix !== undefined && !isPrefix(prefix)) throw invalid(`${prefix} cannot be a prefix`);
    if (ranges && ranges.length > MAX_RANGES) throw invalid(`at most ${MAX_RANGES} ranges`);
    const wrong = ranges?.find((range) => !isRange(range));
    if (wrong !== undefined) throw invalid(`${wrong} is no range; one is 8000-8099 or 8000`);
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined));
    const settings: ConferenceSettings = { ...DEFAULTS, ...(await this.kept.read(KEY)), ...given };
    await this.kept.put(KEY, settings);
    return settings;
  }

  async add(room: string, input: RoomInput): Promise<StoredRoom> {
    const { prefix, ranges } = await this.settings();
    if (!roomReason({ enabled: true, prefix, ranges }, room))
      throw invalid(
        `${room} is no number of a room; prefix and ranges are in LST CONF, SET CONF changes them`,
      );
    if ((await this.stored.count()) >= MAX_ROOMS) throw invalid(`there are ${MAX_ROOMS} rooms already`);
    const made = changeRoom({ room, name: '', mayOutside: false }, input);
    if (!(await this.stored.put(room, made, 'create')))
      throw new ConferenceError('CONF_EXISTS', `room ${room} is there already`, room);
    return made;
  }

  async change(room: string, input: RoomInput): Promise<StoredRoom> {
    const before = await this.stored.read(room);
    if (!before) throw unknown(room);
    const changed = changeRoom(before, input);
    if (!(await this.stored.put(room, changed, 'update'))) throw unknown(room);
    return changed;
  }

  async remove(room: string): Promise<void> {
    if (!(await this.stored.remove(room))) throw unknown(room);
  }
}

function changeRoom(before: StoredRoom, input: RoomInput): StoredRoom {
  const { maxMembers: limit, ...kept } = before;
  const { name = before.name, mayOutside = before.mayOutside, maxMembers = limit } = input;
  if (name.length > MAX_NAME_LENGTH || CONTROL.test(name)) throw invalid('the name is too long, or no text');
  if (!maxMembers) return { ...kept, name, mayOutside };
  checkNumber('maxMembers', maxMembers, ...CONFERENCE_RANGES.maxMembers);
  return { ...kept, name, mayOutside, maxMembers };
}

function checkNumber(name: string, value: number | undefined, least: number, most: number): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= least && value <= most))
    throw invalid(`${name} is ${least} to ${most}`);
}
