import { ANNOUNCEMENT_NAMES, type Announcement } from '../../announcements/types.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec } from '../registry/command.js';
import { boolean, number, oneOf, string } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

const announcementReport: ReportSpec = {
  name: 'announcements',
  title: text('Announcement', '提示音'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('When', '场合') },
    { key: 'enabled', title: text('On', '启用'), format: 'yesno' },
    { key: 'sound', title: text('Sound', '声音') },
    { key: 'seconds', title: text('At most', '最长'), format: 'seconds' },
  ],
};

const toRows = (list: readonly Announcement[]) => list.map((one) => ({ ...one }));

const listAnnouncements = defineCommand({
  verb: 'LST',
  object: 'ANNOUNCE',
  purpose: text('List what callers hear when their calls fail', '查询呼叫失败时主叫听到的提示音'),
  params: {},
  reports: [announcementReport],
  examples: ['LST ANNOUNCE'],
  handler: async ({ services }) => ({
    sections: [{ report: announcementReport, rows: toRows(await services.announcements.list()) }],
  }),
});

export const SOUND = {
  type: string({ max: 128 }),
  purpose: text(
    'A WAV file of SOUNDS_DIR, or a tone such as tone:busy; see LST SOUND',
    'SOUNDS_DIR 中的 WAV 文件，或 tone:busy 等信号音；见 LST SOUND',
  ),
  example: 'closed.wav',
  suggest: (services: Services) => services.sounds.names(),
} as const;

const modifyAnnouncement = defineCommand({
  verb: 'MOD',
  object: 'ANNOUNCE',
  purpose: text('Switch an announcement on or off, or change its sound', '启用、停用提示音或更换声音'),
  params: {
    NAME: {
      type: oneOf(['ALL', ...ANNOUNCEMENT_NAMES]),
      purpose: text('When it is played', '场合'),
      required: true,
    },
    ENABLED: { type: boolean, purpose: text('Whether it is played', '是否启用') },
    SOUND,
    SEC: {
      type: number(1, 60),
      purpose: text(
        'Longest time, seconds; a tone goes on as long, a file is played once',
        '最长秒数；信号音持续播放，文件只放一遍',
      ),
      example: '10',
    },
  },
  reports: [announcementReport],
  examples: [
    'MOD ANNOUNCE: NAME=ALL, ENABLED=YES',
    'MOD ANNOUNCE: NAME=BUSY, SOUND="tone:busy", SEC=5, ENABLED=YES',
  ],
  async handler({ services }, { NAME: name, ENABLED: enabled, SOUND: sound, SEC: seconds }) {
    if (enabled === undefined && sound === undefined && seconds === undefined)
      throw new MmlError(2007, { names: 'ENABLED, SOUND, SEC' });
    const names = name === 'ALL' ? ANNOUNCEMENT_NAMES : [name];
    const changed = await services.announcements.modify(names, { enabled, sound, seconds });
    return { sections: [{ report: announcementReport, rows: toRows(changed) }] };
  },
});

const soundReport: ReportSpec = {
  name: 'sounds',
  title: text('Sound', '声音'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'durationMs', title: text('Length', '长度'), format: 'milliseconds' },
    { key: 'fault', title: text('Cannot be played', '无法播放的原因') },
  ],
};

const listSounds = defineCommand({
  verb: 'LST',
  object: 'SOUND',
  purpose: text('List the tones and WAV files that can be played', '查询可播放的信号音与 WAV 文件'),
  params: {},
  reports: [soundReport],
  examples: ['LST SOUND'],
  async handler({ services }) {
    const rows = (await services.sounds.list()).map((sound) => ({ ...sound }));
    const { directory } = services.sounds;
    const note = text(`Put WAV files into ${directory}`, `WAV 文件请放入 ${directory}`);
    return { sections: [{ report: soundReport, rows, note }] };
  },
});

/** What callers hear when nobody talks to them: LST, MOD ANNOUNCE, LST SOUND. */
export const announcementCommands: readonly Command[] = [listAnnouncements, modifyAnnouncement, listSounds];
