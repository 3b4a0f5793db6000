import { type Command, defineCommand, type ParamSpec, type ReportSpec } from '../registry/command.js';
import { flag, textList, username } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import type { Services } from '../services.js';
import { type Bilingual, text } from '../text.js';
import { ROOM } from './conference-commands.js';

/** Most subscribers that one command rings. */
const MAX_INVITED = 50;

const roomReport: ReportSpec = {
  name: 'rooms',
  title: text('Room', '会议室'),
  layout: 'table',
  columns: [
    { key: 'room', title: text('Room', '会议室') },
    { key: 'name', title: text('Name', '名称') },
    { key: 'members', title: text('Members', '成员数') },
    { key: 'maxMembers', title: text('At most', '上限') },
    { key: 'isLocked', title: text('Locked', '锁定'), format: 'yesno' },
    { key: 'since', title: text('Since', '开始时间'), format: 'time' },
  ],
};

const memberReport: ReportSpec = {
  name: 'members',
  title: text('Member', '成员'),
  layout: 'table',
  columns: [
    { key: 'room', title: text('Room', '会议室') },
    { key: 'member', title: text('Member', '成员') },
    { key: 'since', title: text('Since', '加入时间'), format: 'time' },
    { key: 'isMuted', title: text('Muted', '静音'), format: 'yesno' },
    { key: 'isHeld', title: text('On hold', '保持'), format: 'yesno' },
    { key: 'call', title: text('Call', '呼叫') },
  ],
};

const MEMBER = {
  type: username,
  purpose: text('Member, as DSP CONF shows it', '成员，见 DSP CONF'),
  example: '1002',
  suggest: async (services: Services) => [
    ...new Set(services.conferences.members().map(({ member }) => member)),
  ],
} as const satisfies ParamSpec;

const counted = (count: number) => ({ note: text(`Members: ${count}`, `成员数：${count}`) });

const display = defineCommand({
  verb: 'DSP',
  object: 'CONF',
  purpose: text('Show the rooms that somebody is in; one with its members', '查询进行中的会议及成员'),
  params: { ROOM: { ...ROOM, required: false }, WATCH },
  reports: [roomReport, memberReport],
  examples: ['DSP CONF', 'DSP CONF: ROOM=conf_team'],
  handler({ services: { conferences } }, { ROOM: room }) {
    const rooms = conferences.rooms().filter((live) => room === undefined || live.room === room);
    const rows = rooms.map((live) => ({ ...live }));
    if (room === undefined) return { sections: [{ report: roomReport, rows }] };
    const members = conferences.members(room).map((member) => ({ ...member }));
    return {
      sections: [
        { report: roomReport, rows },
        { report: memberReport, rows: members },
      ],
    };
  },
});

const start = defineCommand({
  verb: 'STR',
  object: 'CONF',
  purpose: text(
    'Ring the phones of subscribers, and put those into a room that answer',
    '呼叫用户并接入会议室',
  ),
  params: {
    ROOM,
    MEMBERS: {
      type: textList(MAX_INVITED),
      purpose: text('Subscribers to be rung', '要呼叫的用户'),
      required: true,
      example: '1001&1002',
    },
  },
  examples: ['STR CONF: ROOM=conf_team, MEMBERS=1001&1002'],
  async handler({ services, session }, { ROOM: room, MEMBERS: members }) {
    const calls = await services.conferences.invite(room, members, session.operator);
    return {
      note: text(
        `Phones are rung: ${calls.length}; see who comes with DSP CONF: ROOM=${room}`,
        `正在呼叫：${calls.length}；请用 DSP CONF: ROOM=${room} 查看`,
      ),
    };
  },
});

const stop = defineCommand({
  verb: 'STP',
  object: 'CONF',
  purpose: text('End a conference: the calls of all members end', '结束会议：挂断全部成员'),
  params: { ROOM },
  role: 'OPERATOR',
  dangerous: text('All members of the room are hung up on.', '会议室的全部成员将被挂断。'),
  examples: ['STP CONF: ROOM=conf_team'],
  handler: ({ services }, { ROOM: room }) => counted(services.conferences.end(room)),
});

const removeMember = defineCommand({
  verb: 'RMV',
  object: 'CONFMEMBER',
  purpose: text('Put a member out of a room: its call ends', '将成员移出会议室'),
  params: { ROOM, MEMBER: { ...MEMBER, required: true } },
  examples: ['RMV CONFMEMBER: ROOM=conf_team, MEMBER=1002'],
  handler: ({ services }, { ROOM: room, MEMBER: member }) => counted(services.conferences.kick(room, member)),
});

const muting = (verb: 'ACT' | 'DEA', purpose: Bilingual) =>
  defineCommand({
    verb,
    object: 'CONFMUTE',
    purpose,
    params: {
      ROOM,
      MEMBER,
      ALL: { type: flag('ALL'), purpose: text('Every member', '全部成员'), keyword: true },
    },
    oneOf: [['MEMBER', 'ALL']],
    excludes: [['MEMBER', 'ALL']],
    examples: [`${verb} CONFMUTE: ROOM=conf_team, MEMBER=1002`, `${verb} CONFMUTE: ROOM=conf_team, ALL`],
    handler: ({ services }, { ROOM: room, MEMBER: member }) =>
      counted(services.conferences.mute(room, member, verb === 'ACT')),
  });

const locking = (verb: 'ACT' | 'DEA', purpose: Bilingual) =>
  defineCommand({
    verb,
    object: 'CONFLOCK',
    purpose,
    params: { ROOM },
    examples: [`${verb} CONFLOCK: ROOM=conf_team`],
    handler({ services }, { ROOM: room }) {
      services.conferences.lock(room, verb === 'ACT');
      return {};
    },
  });

/** Rooms that somebody is in: DSP, STR, STP CONF; RMV CONFMEMBER; ACT, DEA CONFMUTE and CONFLOCK. */
export const conferenceRoomCommands: readonly Command[] = [
  display,
  start,
  stop,
  removeMember,
  muting('ACT', text('Mute members of a room: they hear and are not heard', '成员静音（可听不可讲）')),
  muting('DEA', text('Let muted members be heard again', '取消成员静音')),
  locking('ACT', text('Lock a room: nobody else comes in while it has members', '锁定会议室：禁止他人加入')),
  locking('DEA', text('Unlock a room', '解锁会议室')),
];
