import type { AttackSource } from '../../security/source-types.js';
import { type Command, defineCommand, type ReportSpec, type Row } from '../registry/command.js';
import { cidr, flag } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import type { Figure } from '../services.js';
import { text } from '../text.js';
import { LIMIT } from './paging.js';

const kinds: ReportSpec['columns'] = [
  { key: 'password', title: text('Wrong passwords', '密码错误') },
  { key: 'name', title: text('Unknown names', '未知用户名') },
  { key: 'throttled', title: text('Too many tries', '超次尝试') },
  { key: 'probe', title: text('Without password', '无密码试探') },
  { key: 'malformed', title: text('No SIP', '非 SIP 数据') },
  { key: 'scanner', title: text('Scanners', '扫描程序') },
];

const totalReport: ReportSpec = {
  name: 'attacks',
  title: text('Attacks', '攻击统计'),
  columns: [
    { key: 'since', title: text('Since', '统计起始'), format: 'time' },
    ...kinds,
    { key: 'overRate', title: text('Dropped over SIP_SOURCE_RATE', '超速丢弃') },
    { key: 'dropped', title: text('Dropped or refused, banned', '封禁后丢弃或拒绝') },
    { key: 'bans', title: text('Bans by the server', '自动封禁次数') },
    { key: 'banned', title: text('Of these in force', '当前自动封禁') },
  ],
};

const sourceReport: ReportSpec = {
  name: 'attackers',
  title: text('Sources, newest first', '攻击来源（最近在前）'),
  layout: 'table',
  columns: [
    { key: 'address', title: text('Address', '地址') },
    { key: 'state', title: text('State', '状态') },
    ...kinds,
    { key: 'dropped', title: text('Dropped', '丢弃') },
    { key: 'firstAt', title: text('First', '首次'), format: 'time' },
    { key: 'lastAt', title: text('Last', '最近'), format: 'time' },
  ],
};

const toRow = ({ counts, ...source }: AttackSource): Row => ({ ...source, ...counts });

/** A count of the built-in engine; undefined when the engine is elsewhere. */
const engineCount = (figures: readonly Figure[], name: string): number | undefined =>
  figures.find((figure) => figure.part === 'engine' && figure.name === name)?.value;

/** DSP ATTACK STAT. */
export const attackCommand: Command = defineCommand({
  verb: 'DSP',
  object: 'ATTACK',
  variant: 'STAT',
  aliases: ['DSP ATTACK'],
  purpose: text(
    'Show what looked like attacks since the start, in all and by source',
    '显示启动以来的攻击统计：合计及按来源',
  ),
  params: {
    IP: { type: cidr, purpose: text('One address', '某个地址'), example: '192.0.2.7' },
    BANNED: { type: flag('BANNED'), purpose: text('Banned ones only', '仅已封禁的'), keyword: true },
    LIMIT,
    WATCH,
  },
  reports: [totalReport, sourceReport],
  examples: ['DSP ATTACK STAT', 'DSP ATTACK STAT: BANNED, LIMIT=20'],
  async handler({ services }, { IP: ip, BANNED: bannedOnly, LIMIT: limit }) {
    const [report, figures] = await Promise.all([services.sources.attacks(), services.figures()]);
    const { since, totals, bans, banned } = report;
    const total = {
      since,
      ...totals,
      overRate: engineCount(figures, 'transport.admissionDropped'),
      dropped: engineCount(figures, 'transport.blockedDropped') ?? report.dropped,
      bans,
      banned,
    };
    const wanted = report.sources.filter(
      ({ address, state }) => (ip === undefined || address === ip) && (!bannedOnly || state === 'BANNED'),
    );
    return {
      sections: [
        { report: totalReport, rows: [total] },
        ...(wanted.length > 0 ? [{ report: sourceReport, rows: wanted.slice(0, limit).map(toRow) }] : []),
      ],
    };
  },
});
