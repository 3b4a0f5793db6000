import { pause } from '../../platform/pause.js';
import type { CommandContext, ReportSpec, Row, Section } from '../registry/command.js';
import { UNIT_WORDS } from '../report/words.js';
import type { Figure, Services, SystemInfo } from '../services.js';
import { text } from '../text.js';

/** How long rates are measured when there is no earlier look, milliseconds. */
const MEASURE_MS = 500;
/** Event-loop delay that fills the bar where overload is not watched, milliseconds. */
const LONG_DELAY_MS = 100;
/** Rates that fill the bar: the first of these that is not below the largest seen. */
const FULL_RATES = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];
const MIB = 1024 * 1024;
/** Columns of the table beside its bars. */
const OTHER_COLUMNS = 58;
const DEFAULT_COLUMNS = 80;

const NAMES = {
  cpu: text('CPU', 'CPU'),
  loopDelay: text('Event-loop delay', '事件循环延迟'),
  memory: text('Memory', '内存'),
  heap: text('Heap', '堆内存'),
  received: text('Messages in', '接收消息'),
  sent: text('Messages out', '发送消息'),
  calls: text('Calls', '呼叫数'),
  callRate: text('New calls', '新建呼叫'),
};
export type LoadName = keyof typeof NAMES;

export const loadReport: ReportSpec = {
  name: 'load',
  title: text('Load', '负载'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('Figure', '计数项'), words: NAMES },
    { key: 'value', title: text('Now', '当前') },
    { key: 'full', title: text('Of', '满值') },
    { key: 'unit', title: text('Unit', '单位'), words: UNIT_WORDS },
    { key: 'share', title: text('Load', '负载'), format: 'bar' },
  ],
};

/** A look at the load; the next one tells rates from it. */
export interface LoadLook {
  readonly mono: number;
  readonly received: number;
  readonly sent: number;
  readonly calls: number;
  readonly figures: readonly Figure[];
  readonly system: SystemInfo;
  /** Largest rates since the watching began. */
  readonly peaks: { readonly messages: number; readonly calls: number };
}

const NO_PEAKS = { messages: 0, calls: 0 };

/** The load since the look before: since the run before of a watched command, else since a moment ago. */
export async function loadSince(
  context: CommandContext,
  names: readonly LoadName[],
): Promise<{ readonly section: Extract<Section, { rows: unknown }>; readonly look: LoadLook }> {
  const { services, clock, signal, session } = context;
  let before = context.kept as LoadLook | undefined;
  if (!before) {
    before = await look(services, clock.monotonic());
    await pause(clock, MEASURE_MS, signal);
  }
  const now = await look(services, clock.monotonic());
  const seconds = Math.max(0.001, (now.mono - before.mono) / 1000);
  const rates = {
    received: (now.received - before.received) / seconds,
    sent: (now.sent - before.sent) / seconds,
    calls: (now.calls - before.calls) / seconds,
  };
  const peaks = {
    messages: Math.max(before.peaks.messages, rates.received, rates.sent),
    calls: Math.max(before.peaks.calls, rates.calls),
  };
  const width = (session.columns ?? DEFAULT_COLUMNS) - OTHER_COLUMNS;
  const columns = loadReport.columns.map((column) =>
    column.format === 'bar' ? { ...column, width } : column,
  );
  const all = loadRows(services, now.system, rates, peaks);
  const rows = names.map((name) => ({ name, ...all[name] }));
  const note = text(`Over the last ${seconds.toFixed(1)} s`, `最近 ${seconds.toFixed(1)} 秒`);
  return { section: { report: { ...loadReport, columns }, rows, note }, look: { ...now, peaks } };
}

async function look(services: Services, mono: number): Promise<LoadLook> {
  const figures = await services.figures();
  const sum = (direction: string) =>
    figures
      .filter(
        ({ part, name }) => part === 'engine' && name.split('.')[2] === direction && /^traffic\./.test(name),
      )
      .reduce((total, { value }) => total + value, 0);
  const calls = services.calls.count().total;
  return {
    mono,
    received: sum('received'),
    sent: sum('sent'),
    calls,
    figures,
    system: services.system(),
    peaks: NO_PEAKS,
  };
}

interface Rates {
  readonly received: number;
  readonly sent: number;
  readonly calls: number;
}

function loadRows(
  services: Services,
  system: SystemInfo,
  rates: Rates,
  peaks: LoadLook['peaks'],
): Record<LoadName, Row> {
  const { OVERLOAD_DELAY_MS: delayMs, MAX_CALLS: maxCalls } = services.settings.config;
  const [messages, calls] = [fullRate(peaks.messages), fullRate(peaks.calls)];
  return {
    cpu: row(system.cpuShare, system.cpuCores, 'core', 2),
    loopDelay: row(system.loopDelayMs, delayMs || LONG_DELAY_MS, 'ms', 1),
    memory: row(system.rssBytes / MIB, system.memoryBytes / MIB, 'MiB', 0),
    heap: row(system.heapUsedBytes / MIB, system.heapLimitBytes / MIB, 'MiB', 0),
    received: row(rates.received, messages, '/s', 1),
    sent: row(rates.sent, messages, '/s', 1),
    calls: row(services.calls.count().active, maxCalls, '', 0),
    callRate: row(rates.calls, calls, '/s', 1),
  };
}

/** `full` 0 is no bound: no bar then. */
function row(value: number, full: number, unit: string, digits: number): Row {
  const rounded = (of: number) => Number(of.toFixed(digits));
  return {
    value: rounded(value),
    full: full > 0 ? rounded(full) : undefined,
    unit,
    share: full > 0 ? value / full : undefined,
  };
}

function fullRate(peak: number): number {
  return FULL_RATES.find((rate) => rate >= peak) ?? peak;
}
