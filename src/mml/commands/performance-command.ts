import { type Command, defineCommand, type ReportSpec, type Row, type Section } from '../registry/command.js';
import { oneOf } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import type { Figure, SystemInfo } from '../services.js';
import { text } from '../text.js';
import { type LoadName, loadReport, loadSince } from './load-section.js';

const TYPES = ['ALL', 'LOAD', 'CPU', 'MEM', 'NET', 'MSG', 'CALL', 'EVENTLOOP'] as const;

const figuresReport: ReportSpec = {
  name: 'figures',
  title: text('Figures', '运行计数'),
  layout: 'table',
  columns: [
    { key: 'part', title: text('Part', '部件') },
    { key: 'name', title: text('Figure', '计数项') },
    { key: 'value', title: text('Value', '数值') },
  ],
};

const messagesReport: ReportSpec = {
  name: 'messages',
  title: text('SIP messages since start', '启动以来的 SIP 消息'),
  layout: 'table',
  columns: [
    { key: 'protocol', title: text('Transport', '传输') },
    { key: 'message', title: text('Message', '消息') },
    { key: 'received', title: text('Received', '接收') },
    { key: 'sent', title: text('Sent', '发送') },
  ],
};

/** Which of the engine's figures are of each type; those of other parts by their part. */
const NET = /^(transport|connections|resolve|sources|udpQueues)\b/;
const CALL = /^(dialogs|pendingRequests|proxiedRequests|transactions|overload|core|applications)\b/;
const CALL_PARTS = new Set(['calls', 'records', 'signalling']);
/** `traffic.udp.received.INVITE`. */
const TRAFFIC = /^traffic\.(\w+)\.(received|sent)\.(.+)$/;

/** `DSP PERF`: the counts of every part. */
export const displayPerformance: Command = defineCommand({
  verb: 'DSP',
  object: 'PERF',
  purpose: text(
    'Show the load as bars, and what each part counts: what is open now, and what came since start',
    '以条形图查询负载，并查询各部件计数',
  ),
  params: {
    TYPE: {
      type: oneOf(TYPES),
      purpose: text('Which figures', '计数类别'),
      default: 'ALL',
      keyword: true,
    },
    WATCH,
  },
  reports: [loadReport, figuresReport, messagesReport],
  examples: ['DSP PERF', 'DSP PERF: TYPE=MSG', 'DSP PERF CPU', 'DSP PERF: TYPE=LOAD, WATCH=2'],
  async handler(context, { TYPE: type }) {
    const { section, look } = await loadSince(context, LOADS[type]);
    const figures = [...look.figures, ...loadFigures(look.system)];
    const load = section.rows.length > 0 ? [section] : [];
    return { sections: [...load, ...figureSections(type, figures)], keep: look };
  },
});

type Type = (typeof TYPES)[number];

/** The bars of each type. */
const LOADS: Readonly<Record<Type, readonly LoadName[]>> = {
  ALL: ['cpu', 'loopDelay', 'memory', 'heap', 'received', 'sent', 'calls', 'callRate'],
  LOAD: ['cpu', 'loopDelay', 'memory', 'heap', 'received', 'sent', 'calls', 'callRate'],
  CPU: ['cpu', 'loopDelay'],
  MEM: ['memory', 'heap'],
  NET: ['received', 'sent'],
  MSG: ['received', 'sent'],
  CALL: ['calls', 'callRate'],
  EVENTLOOP: ['loopDelay'],
};

function figureSections(type: Type, figures: readonly Figure[]): Section[] {
  const messages: Section = { report: messagesReport, rows: messageRows(figures) };
  if (type === 'LOAD') return [];
  if (type === 'MSG') return [messages];
  const rows = figures.filter((figure) => isOf(type, figure)).map((figure) => ({ ...figure }));
  return [{ report: figuresReport, rows }, ...(type === 'ALL' ? [messages] : [])];
}

function isOf(type: Type, { part, name }: Figure): boolean {
  const isEngine = part === 'engine';
  switch (type) {
    case 'ALL':
      return !(isEngine && TRAFFIC.test(name));
    case 'CPU':
      return part === 'process' && name.startsWith('cpu');
    case 'MEM':
      return part === 'process' && (name.endsWith('Bytes') || name === 'openFiles' || name === 'resources');
    case 'EVENTLOOP':
      return /loopDelayMs$/.test(name);
    case 'NET':
      return part === 'relay' || (isEngine && NET.test(name));
    case 'CALL':
      return CALL_PARTS.has(part) || (isEngine && CALL.test(name));
    case 'MSG':
    case 'LOAD':
      return false;
  }
}

function loadFigures({ cpuShare, rssBytes, heapUsedBytes, loopDelayMs }: SystemInfo): Figure[] {
  const figures = {
    cpuPercent: Math.round(cpuShare * 100),
    rssBytes,
    heapUsedBytes,
    loopDelayMs: Math.round(loopDelayMs),
  };
  return Object.entries(figures).map(([name, value]) => ({ part: 'process', name, value }));
}

/** One row for each transport and kind of message, requests before responses. */
function messageRows(figures: readonly Figure[]): Row[] {
  const rows = new Map<string, { protocol: string; message: string; received: number; sent: number }>();
  for (const { part, name, value } of figures) {
    const [, protocol = '', direction, message = ''] = (part === 'engine' && TRAFFIC.exec(name)) || [];
    if (direction === undefined) continue;
    const key = `${protocol} ${/^\d/.test(message) ? 1 : 0} ${message}`;
    const row = rows.get(key) ?? { protocol, message, received: 0, sent: 0 };
    rows.set(key, direction === 'sent' ? { ...row, sent: value } : { ...row, received: value });
  }
  return [...rows].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row);
}
