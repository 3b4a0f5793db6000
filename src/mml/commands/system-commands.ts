import { type Command, defineCommand, type ReportSpec } from '../registry/command.js';
import { WATCH } from '../registry/watch.js';
import { SERVER_STATE_WORDS } from '../report/words.js';
import { text } from '../text.js';
import { displayPerformance } from './performance-command.js';

const sysinfoReport: ReportSpec = {
  name: 'system',
  title: text('System information', '系统信息'),
  columns: [
    { key: 'product', title: text('Product', '产品') },
    { key: 'version', title: text('Version', '版本') },
    { key: 'state', title: text('State', '运行状态'), words: SERVER_STATE_WORDS },
    { key: 'node', title: text('Node', '节点') },
    { key: 'pid', title: text('Process', '进程号') },
    { key: 'startedAt', title: text('Started', '启动时间'), format: 'time' },
    { key: 'uptimeSec', title: text('Up for', '已运行'), format: 'seconds' },
    { key: 'realm', title: text('Realm', '域') },
    { key: 'engine', title: text('SIP engine', 'SIP 引擎') },
    { key: 'engineConnected', title: text('Engine connected', '引擎已连接'), format: 'yesno' },
    { key: 'relay', title: text('Media relay', '媒体中继') },
    { key: 'store', title: text('Store', '存储') },
    { key: 'storeAlive', title: text('Store alive', '存储正常'), format: 'yesno' },
    { key: 'listeners', title: text('Listening on', '监听地址') },
    { key: 'users', title: text('Users', '用户数') },
    { key: 'registeredUsers', title: text('Registered users', '已注册用户') },
    { key: 'activeCalls', title: text('Calls', '当前呼叫') },
    { key: 'connectedCalls', title: text('Calls connected', '已接通呼叫') },
    { key: 'activeAlarms', title: text('Active alarms', '当前告警') },
    { key: 'recordsWaiting', title: text('Records waiting', '待写入话单') },
    { key: 'rssBytes', title: text('Memory', '内存'), format: 'bytes' },
    { key: 'heapUsedBytes', title: text('Heap used', '堆内存'), format: 'bytes' },
    { key: 'cpuShare', title: text('CPU (of one core)', 'CPU（单核）'), format: 'percent' },
    { key: 'loopDelayMs', title: text('Event-loop delay p99', '事件循环延迟 p99'), format: 'milliseconds' },
  ],
};

const displaySysinfo = defineCommand({
  verb: 'DSP',
  object: 'SYSINFO',
  purpose: text('Show what runs here and how it fares', '查询系统信息'),
  params: { WATCH },
  reports: [sysinfoReport],
  examples: ['DSP SYSINFO'],
  async handler({ services, clock }) {
    const system = services.system();
    const calls = services.calls.count();
    // A store that is away must not hide the rest of the picture.
    const [users, registrations] = await Promise.all([
      services.users.count().catch(() => undefined),
      services.registrations.count().catch(() => undefined),
    ]);
    const row = {
      ...system,
      listeners: system.listeners.join(' '),
      uptimeSec: Math.floor((clock.now() - system.startedAt) / 1000),
      users,
      registeredUsers: registrations?.users,
      activeCalls: calls.active,
      connectedCalls: calls.connected,
      activeAlarms: services.alarms.active().length,
      recordsWaiting: services.records.backlog().waiting,
    };
    return { sections: [{ report: sysinfoReport, rows: [row] }] };
  },
});

const versionReport: ReportSpec = {
  name: 'version',
  title: text('Version', '版本'),
  columns: [
    { key: 'product', title: text('Product', '产品') },
    { key: 'version', title: text('Version', '版本') },
    { key: 'nodejs', title: text('Node.js', 'Node.js') },
    { key: 'engine', title: text('SIP engine', 'SIP 引擎') },
    { key: 'relay', title: text('Media relay', '媒体中继') },
    { key: 'store', title: text('Store', '存储') },
  ],
};

const displayVersion = defineCommand({
  verb: 'DSP',
  object: 'VERSION',
  purpose: text('Show versions', '查询版本'),
  params: {},
  reports: [versionReport],
  examples: ['DSP VERSION'],
  handler({ services }) {
    const { product, version, engine, relay, store } = services.system();
    const row = { product, version, nodejs: process.version, engine, relay, store };
    return { sections: [{ report: versionReport, rows: [row] }] };
  },
});

/** The system: DSP SYSINFO, DSP PERF, DSP VERSION. */
export const systemCommands: readonly Command[] = [displaySysinfo, displayPerformance, displayVersion];
