import { MAX_RELAY_WEIGHT, type RelayView } from '../../media/stored-relays.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec, type Row, type Section } from '../registry/command.js';
import { number, string } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { mediaReport, mediaRows } from './media-report.js';
import { LIMIT } from './paging.js';

const listReport: ReportSpec = {
  name: 'relays',
  title: text('Media relays', '媒体中继'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'url', title: text('URL', 'URL') },
    { key: 'weight', title: text('Weight', '权重') },
    { key: 'status', title: text('Status', '状态') },
    { key: 'isSetting', title: text('Of MEDIA_RELAY', '由 MEDIA_RELAY 配置'), format: 'yesno' },
  ],
};

const stateReport: ReportSpec = {
  name: 'relayStates',
  title: text('Media relays', '媒体中继'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'status', title: text('Status', '状态') },
    { key: 'alive', title: text('Answers', '有响应'), format: 'yesno' },
    { key: 'weight', title: text('Weight', '权重') },
    { key: 'calls', title: text('Our calls', '本机呼叫') },
    { key: 'activeSessions', title: text('Its sessions', '会话数') },
    { key: 'version', title: text('Version', '版本') },
    { key: 'error', title: text('Last error', '最近错误') },
  ],
};

const callMediaReport: ReportSpec = {
  ...mediaReport,
  name: 'callMedia',
  title: text('Media of calls', '呼叫媒体'),
  columns: [{ key: 'call', title: text('Call', '呼叫号') }, ...mediaReport.columns],
};

const suggestRelays = async (services: Services, prefix: string) =>
  services.relays
    .list()
    .map(({ name }) => name)
    .filter((name) => name.startsWith(prefix));

const NAME = {
  type: string({ max: 255 }),
  purpose: text('Relay', '媒体中继'),
  required: true,
  example: 'rtp2',
  suggest: suggestRelays,
} as const;

const WEIGHT = {
  type: number(0, MAX_RELAY_WEIGHT),
  purpose: text(
    'Share of new calls; 0: only when no other relay takes a call',
    '新呼叫的份额，0 表示仅作备用',
  ),
} as const;

const statusOf = (active: boolean) => (active ? 'ACTIVE' : 'DRAINED');

const listed = (relays: readonly RelayView[]): Section => ({
  report: listReport,
  rows: relays.map(({ active, ...relay }): Row => ({ ...relay, status: statusOf(active) })),
});

const listRelays = defineCommand({
  verb: 'LST',
  object: 'RELAY',
  purpose: text('List the media relays', '查询媒体中继'),
  params: {},
  reports: [listReport],
  examples: ['LST RELAY'],
  handler: ({ services }) => ({ sections: [listed(services.relays.list())] }),
});

const displayRelays = defineCommand({
  verb: 'DSP',
  object: 'RELAY',
  purpose: text(
    'Show how the media relays are: whether they answer, and what is on them',
    '查询媒体中继状态与负荷',
  ),
  params: { WATCH },
  reports: [stateReport],
  examples: ['DSP RELAY', 'DSP RELAY: WATCH=2'],
  async handler({ services }) {
    const states = await services.relays.states();
    const rows = states.map(({ active, ...state }): Row => ({ ...state, status: statusOf(active) }));
    return { sections: [{ report: stateReport, rows }] };
  },
});

const addRelay = defineCommand({
  verb: 'ADD',
  object: 'RELAY',
  purpose: text('Add an RTPProxy: new calls go there from now on', '增加 RTPProxy，新呼叫即刻可用'),
  params: {
    NAME: { ...NAME, type: string({ max: 32 }), suggest: async () => [] },
    URL: {
      type: string({ max: 255 }),
      purpose: text(
        'Where it takes commands: rtpproxy+udp://host:port, rtpproxy+tcp://host:port, rtpproxy+unix:///path',
        '控制地址：rtpproxy+udp://host:port、rtpproxy+tcp://host:port 或 rtpproxy+unix:///path',
      ),
      required: true,
      example: '"rtpproxy+udp://192.0.2.8:7722"',
    },
    WEIGHT: { ...WEIGHT, default: '1' },
  },
  reports: [listReport],
  examples: ['ADD RELAY: NAME=rtp2, URL="rtpproxy+udp://192.0.2.8:7722", WEIGHT=2'],
  handler: async ({ services }, { NAME: name, URL: url, WEIGHT: weight }) => ({
    sections: [listed([await services.relays.add(name, url, weight)])],
  }),
});

const modifyRelay = defineCommand({
  verb: 'MOD',
  object: 'RELAY',
  purpose: text('Change the share of new calls that a relay gets', '修改媒体中继的权重'),
  params: { NAME, WEIGHT: { ...WEIGHT, required: true, example: '2' } },
  reports: [listReport],
  examples: ['MOD RELAY: NAME=rtp2, WEIGHT=0'],
  handler: async ({ services }, { NAME: name, WEIGHT: weight }) => ({
    sections: [listed([await services.relays.setWeight(name, weight)])],
  }),
});

const activate = (verb: 'ACT' | 'DEA', active: boolean) =>
  defineCommand({
    verb,
    object: 'RELAY',
    purpose: active
      ? text('Give a relay new calls again', '恢复媒体中继接收新呼叫')
      : text('Give a relay no new calls; those that it has stay', '媒体中继不再接收新呼叫，现有呼叫不受影响'),
    params: { NAME },
    reports: [listReport],
    examples: [`${verb} RELAY: NAME=rtp2`],
    handler: async ({ services }, { NAME: name }) => ({
      sections: [listed([await services.relays.setActive(name, active)])],
    }),
  });

const removeRelay = defineCommand({
  verb: 'RMV',
  object: 'RELAY',
  purpose: text('Remove a relay that has no calls', '删除没有呼叫的媒体中继'),
  params: { NAME },
  examples: ['RMV RELAY: NAME=rtp2'],
  async handler({ services }, { NAME: name }) {
    await services.relays.remove(name);
    return {};
  },
});

const displayMedia = defineCommand({
  verb: 'DSP',
  object: 'MEDIA',
  purpose: text('Show the media streams of the calls that are up', '查询通话中的媒体流'),
  params: {
    CALLID: {
      type: string(),
      purpose: text(
        'The call: as DSP CALL shows it, or its SIP Call-ID; all when absent',
        '呼叫号或 SIP Call-ID；缺省为全部',
      ),
      example: '01JCZ8Q6X4D9V7M2K5T3R1W0YB',
      suggest: async ({ calls }, prefix) =>
        calls
          .list()
          .map(({ id }) => id)
          .filter((id) => id.startsWith(prefix)),
    },
    LIMIT,
    WATCH,
  },
  reports: [callMediaReport],
  examples: ['DSP MEDIA', 'DSP MEDIA: CALLID=01JCZ8Q6X4D9V7M2K5T3R1W0YB, WATCH=2'],
  async handler({ services: { calls } }, { CALLID: wanted, LIMIT: limit }) {
    const found = calls
      .list()
      .filter(({ id, callId }) => wanted === undefined || id === wanted || callId === wanted)
      .slice(0, limit);
    if (wanted !== undefined && found.length === 0) {
      const hint = text('See DSP CALL', '请查看 DSP CALL');
      throw new MmlError(4001, { what: text('call', '呼叫'), name: wanted, hint });
    }
    const streams = await Promise.all(found.map(({ id }) => calls.media(id)));
    const rows = found.flatMap(({ id }, at) =>
      mediaRows(streams[at] ?? []).map((row) => ({ call: id, ...row })),
    );
    return { sections: [{ report: callMediaReport, rows }] };
  },
});

/** Media relays and what is on them. */
export const relayCommands: readonly Command[] = [
  listRelays,
  displayRelays,
  addRelay,
  modifyRelay,
  activate('ACT', true),
  activate('DEA', false),
  removeRelay,
  displayMedia,
];
