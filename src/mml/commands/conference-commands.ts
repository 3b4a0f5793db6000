import { CONFERENCE_RANGES, MAX_RANGES } from '../../conference/room-number.js';
import type { ConferenceSettings, StoredRoom } from '../../conference/types.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ParamSpec, type ReportSpec } from '../registry/command.js';
import { boolean, number, string, textList, username } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { AFTER, LIMIT, moreNote } from './paging.js';

const settingsReport: ReportSpec = {
  name: 'conference',
  title: text('Conferences', '会议设置'),
  columns: [
    { key: 'enabled', title: text('On', '启用'), format: 'yesno' },
    { key: 'prefix', title: text('Prefix', '前缀') },
    { key: 'ranges', title: text('Numbers', '号段') },
    { key: 'isOpen', title: text('Any such number is a room', '任意号码可开会'), format: 'yesno' },
    { key: 'maxRooms', title: text('Rooms at once', '会议室上限') },
    { key: 'maxMembers', title: text('Members of a room', '每室成员上限') },
    { key: 'hasTones', title: text('Tones', '提示音'), format: 'yesno' },
  ],
};

const storedReport: ReportSpec = {
  name: 'storedRooms',
  title: text('Rooms that were made', '已建会议室'),
  layout: 'table',
  columns: [
    { key: 'room', title: text('Room', '会议室') },
    { key: 'name', title: text('Name', '名称') },
    { key: 'maxMembers', title: text('Members', '成员上限') },
    { key: 'mayOutside', title: text('From trunks', '允许中继'), format: 'yesno' },
  ],
};

/** `ROOM=`: one that somebody is in, or that was made. */
export const ROOM = {
  type: username,
  purpose: text('Number of the room, as it is dialled', '会议室号码'),
  required: true,
  example: 'conf_team',
  suggest: async (services: Services) => [
    ...new Set([
      ...services.conferences.rooms().map(({ room }) => room),
      ...(await services.conferences.list({ limit: 20 })).map(({ room }) => room),
    ]),
  ],
} as const satisfies ParamSpec;

const settingsSection = (settings: ConferenceSettings) => ({
  report: settingsReport,
  rows: [{ ...settings, ranges: settings.ranges.join('&') }],
});
const storedSection = (rooms: readonly StoredRoom[]) => ({
  report: storedReport,
  rows: rooms.map((room) => ({ ...room })),
});
const one = (room: StoredRoom) => ({ sections: [storedSection([room])] });

const list = defineCommand({
  verb: 'LST',
  object: 'CONF',
  purpose: text('List how conferences are set, and the rooms that were made', '查询会议设置与已建会议室'),
  params: { AFTER, LIMIT },
  reports: [settingsReport, storedReport],
  examples: ['LST CONF'],
  async handler({ services: { conferences } }, { AFTER: after, LIMIT: limit }) {
    const page = await conferences.list({ limit, ...(after !== undefined && { after }) });
    const last = page.length === limit ? page.at(-1)?.room : undefined;
    const note = last === undefined ? {} : { note: moreNote('AFTER', last) };
    return {
      sections: [settingsSection(await conferences.settings()), { ...storedSection(page), ...note }],
    };
  },
});

const set = defineCommand({
  verb: 'SET',
  object: 'CONF',
  purpose: text('Set which numbers are rooms, and their limits', '设置会议号码与限制'),
  params: {
    ENABLED: { type: boolean, purpose: text('NO: no number is a room', 'NO：关闭会议功能') },
    PREFIX: {
      type: string({ min: 0, max: 32 }),
      purpose: text('Numbers that begin with it are rooms; "" for none', '会议室号码前缀；"" 表示无'),
      example: 'conf_',
    },
    NUMBERS: {
      type: textList(MAX_RANGES),
      purpose: text('Numbers and ranges that are rooms; NONE for none', '会议室号码或号段；NONE 表示无'),
      example: '8000-8099&900',
    },
    OPEN: {
      type: boolean,
      purpose: text(
        'YES: any such number is a room; NO: those of ADD CONF',
        'YES：任意号码；NO：仅 ADD CONF 的号码',
      ),
    },
    MAXROOMS: {
      type: number(...CONFERENCE_RANGES.maxRooms),
      purpose: text('Rooms that somebody is in', '同时存在的会议室数'),
    },
    MAXMEMBERS: {
      type: number(...CONFERENCE_RANGES.maxMembers),
      purpose: text('Members of a room', '每个会议室的成员数'),
    },
    TONES: {
      type: boolean,
      purpose: text('Members hear a tone when somebody comes or goes', '成员进出时播放提示音'),
    },
  },
  reports: [settingsReport],
  examples: ['SET CONF: NUMBERS=8000-8099, MAXMEMBERS=10', 'SET CONF: ENABLED=NO'],
  async handler({ services }, values) {
    if (Object.values(values).every((value) => value === undefined))
      throw new MmlError(2007, { names: 'ENABLED, PREFIX, NUMBERS…' });
    const { NUMBERS: numbers } = values;
    const settings = await services.conferences.modify({
      enabled: values.ENABLED,
      prefix: values.PREFIX,
      ranges: numbers?.length === 1 && numbers[0]?.toUpperCase() === 'NONE' ? [] : numbers,
      isOpen: values.OPEN,
      maxRooms: values.MAXROOMS,
      maxMembers: values.MAXMEMBERS,
      hasTones: values.TONES,
    });
    return { sections: [settingsSection(settings)] };
  },
});

const OWN = {
  NAME: { type: string({ min: 0, max: 128 }), purpose: text('Name', '名称'), example: 'Team' },
  MAXMEMBERS: {
    type: number(0, CONFERENCE_RANGES.maxMembers[1]),
    purpose: text('Members; 0: as SET CONF has it', '成员上限；0：按 SET CONF'),
  },
  OUTSIDE: {
    type: boolean,
    purpose: text('Callers from trunks may come in', '允许中继来电加入'),
  },
} as const;

const add = defineCommand({
  verb: 'ADD',
  object: 'CONF',
  purpose: text('Make a room with rules of its own', '增加会议室'),
  params: { ROOM, ...OWN },
  reports: [storedReport],
  examples: ['ADD CONF: ROOM=conf_team, NAME=Team, MAXMEMBERS=5, OUTSIDE=YES'],
  handler: async ({ services }, { ROOM: room, NAME: name, MAXMEMBERS: maxMembers, OUTSIDE: mayOutside }) =>
    one(await services.conferences.add(room, { name, maxMembers, mayOutside })),
});

const change = defineCommand({
  verb: 'MOD',
  object: 'CONF',
  purpose: text('Change the rules of a room; they hold for who comes next', '修改会议室'),
  params: { ROOM, ...OWN },
  reports: [storedReport],
  examples: ['MOD CONF: ROOM=conf_team, OUTSIDE=NO'],
  async handler({ services }, { ROOM: room, NAME: name, MAXMEMBERS: maxMembers, OUTSIDE: mayOutside }) {
    if (name === undefined && maxMembers === undefined && mayOutside === undefined)
      throw new MmlError(2007, { names: 'NAME, MAXMEMBERS, OUTSIDE' });
    return one(await services.conferences.change(room, { name, maxMembers, mayOutside }));
  },
});

const remove = defineCommand({
  verb: 'RMV',
  object: 'CONF',
  purpose: text('Remove the rules of a room; who is in it stays', '删除会议室设置（成员不受影响）'),
  params: { ROOM },
  examples: ['RMV CONF: ROOM=conf_team'],
  async handler({ services }, { ROOM: room }) {
    await services.conferences.remove(room);
    return {};
  },
});

/** How conferences are set, and the rooms that were made: LST, SET, ADD, MOD, RMV CONF. */
export const conferenceCommands: readonly Command[] = [list, set, add, change, remove];
