import { bracket } from '../../config/describe.js';
import { type Command, defineCommand, type ReportSpec, type Row } from '../registry/command.js';
import { oneOf } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import { SERVER_STATE_WORDS, SERVICE_WORDS } from '../report/words.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

const configReport: ReportSpec = {
  name: 'systemConfiguration',
  title: text('System configuration', '系统配置'),
  columns: [
    { key: 'node', title: text('Node', '节点') },
    { key: 'serverIp', title: text('Address of the server', '服务器地址') },
    { key: 'externalIp', title: text('Public address', '公网地址') },
    { key: 'sip', title: text('SIP', 'SIP') },
    { key: 'realm', title: text('Realm', '域') },
    { key: 'engine', title: text('SIP engine', 'SIP 引擎') },
    { key: 'relay', title: text('Media relay', '媒体中继') },
    { key: 'rtpPorts', title: text('RTP ports', 'RTP 端口') },
    { key: 'store', title: text('Store', '存储') },
    { key: 'dataDir', title: text('Data directory', '数据目录') },
    { key: 'console', title: text('Console', '控制台') },
    { key: 'maxCalls', title: text('Calls at most', '最大呼叫数') },
    { key: 'maxContacts', title: text('Phones a user', '每用户终端数') },
    { key: 'registration', title: text('Registration, seconds', '注册时长（秒）') },
    { key: 'noAnswerSec', title: text('No answer after', '无应答时长'), format: 'seconds' },
    { key: 'drainSec', title: text('Drains for', '停止等待时长'), format: 'seconds' },
    { key: 'logLevel', title: text('Log level', '日志级别') },
  ],
};

const displayConfiguration = defineCommand({
  verb: 'DSP',
  object: 'SYSCFG',
  purpose: text(
    'Show how the system is set up; LST CFG has every setting',
    '查询系统配置；全部配置项见 LST CFG',
  ),
  params: {},
  reports: [configReport],
  examples: ['DSP SYSCFG'],
  handler({ services }) {
    const { config } = services.settings;
    const system = services.system();
    const row: Row = {
      node: system.node,
      serverIp: config.SERVER_IP ?? text('detected', '自动检测'),
      externalIp: config.EXTERNAL_IP,
      sip: system.listeners.join(' '),
      realm: system.realm,
      engine: system.engine,
      relay: system.relay,
      rtpPorts: `${config.RTP_PORTS.first}-${config.RTP_PORTS.last}`,
      store: system.store,
      dataDir: config.DATA_DIR,
      console: `${bracket(config.MML_LISTEN.host)}:${config.MML_LISTEN.port}`,
      maxCalls: config.MAX_CALLS,
      maxContacts: config.MAX_CONTACTS,
      registration: `${config.REG_MIN_SEC}..${config.REG_MAX_SEC}`,
      noAnswerSec: config.NO_ANSWER_SEC,
      drainSec: config.DRAIN_SEC,
      logLevel: config.LOG_LEVEL,
    };
    return { sections: [{ report: configReport, rows: [row] }] };
  },
});

const statusReport: ReportSpec = {
  name: 'services',
  title: text('Service status', '服务状态'),
  layout: 'table',
  columns: [
    { key: 'service', title: text('Service', '服务'), words: SERVICE_WORDS },
    { key: 'state', title: text('State', '状态') },
    { key: 'detail', title: text('Detail', '详情') },
  ],
};

const displayStatus = defineCommand({
  verb: 'DSP',
  object: 'SRVSTAT',
  purpose: text('Show the state of every part of the server', '查询各服务状态'),
  params: { WATCH },
  reports: [statusReport],
  examples: ['DSP SRVSTAT'],
  async handler({ services, console }) {
    const sessions = console.sessions().length;
    const rows: Row[] = [
      ...(await partRows(services)),
      { service: 'console', state: 'UP', detail: text(`${sessions} sessions`, `${sessions} 个会话`) },
    ];
    return { sections: [{ report: statusReport, rows }] };
  },
});

async function partRows(services: Services): Promise<Row[]> {
  const system = services.system();
  const upIf = (isUp: boolean) => (isUp ? 'UP' : 'DOWN');
  const backlog = services.records.backlog();
  const { active, connected } = services.calls.count();
  const [figures, dialling] = await Promise.all([
    services.figures(),
    services.dialler.settings().catch(() => undefined),
  ]);
  // What runs in this process answers for itself; of a relay elsewhere each call finds out.
  const relayState =
    system.relay === 'embedded' ? upIf(figures.some(({ part }) => part === 'relay')) : 'ELSEWHERE';
  const jobs = services.dialler.jobs().filter(({ state }) => state === 'running').length;
  const trunks = services.trunks.states();
  const trunksUp = trunks.filter(({ health }) => health === 'up').length;
  return [
    {
      service: 'sip-engine',
      state: upIf(system.engineConnected),
      detail: `${system.engine} ${system.listeners.join(' ')}`,
    },
    {
      service: 'calls',
      state: system.state === 'running' ? 'UP' : system.state.toUpperCase(),
      detail: text(`${active} calls, ${connected} connected`, `${active} 个呼叫，${connected} 个已接通`),
    },
    { service: 'media-relay', state: relayState, detail: system.relay },
    { service: 'store', state: upIf(system.storeAlive), detail: system.store },
    {
      service: 'records',
      state: upIf(backlog.storeAlive),
      detail: text(`${backlog.waiting} wait for the store`, `${backlog.waiting} 条等待写入`),
    },
    {
      service: 'trunks',
      state: 'UP',
      detail: text(`${trunksUp} of ${trunks.length} up`, `${trunks.length} 个中 ${trunksUp} 个正常`),
    },
    {
      service: 'dial-service',
      state: dialling === undefined ? 'UNKNOWN' : dialling.enabled ? 'UP' : 'OFF',
      detail: text(`${jobs} jobs run`, `${jobs} 个任务进行中`),
    },
  ];
}

const licenceReport: ReportSpec = {
  name: 'licences',
  title: text('Packages and their licences', '软件包与许可证'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('Package', '软件包') },
    { key: 'version', title: text('Version', '版本') },
    { key: 'licence', title: text('Licence', '许可证') },
  ],
};

const displayLicences = defineCommand({
  verb: 'DSP',
  object: 'LICENSEINFO',
  aliases: ['DSP LICENCEINFO', 'DSP LICENSE'],
  purpose: text(
    'Show the packages that this server is made of, with their licences',
    '查询组成软件包及其许可证',
  ),
  params: {},
  reports: [licenceReport],
  examples: ['DSP LICENSEINFO'],
  async handler({ services }) {
    const rows = (await services.licences()).map((one) => ({ ...one }));
    return { sections: [{ report: licenceReport, rows }] };
  },
});

const restart = defineCommand({
  verb: 'RST',
  object: 'SERVICE',
  aliases: ['RST SRV'],
  purpose: text(
    'Stop the server and start it anew, with settings read anew; new calls hear 503, those that are up have DRAIN_SEC',
    '重启服务并重新读取配置；期间新呼叫收到 503，已有呼叫最多等待 DRAIN_SEC',
  ),
  params: {},
  dangerous: text(
    'The server stops and starts anew; this session ends, and calls that outlast DRAIN_SEC as at any stop.',
    '服务将重启，本会话将结束；超过 DRAIN_SEC 的呼叫按停止服务处理。',
  ),
  examples: ['RST SERVICE', 'RST SERVICE: CONFIRM=YES'],
  handler({ services }) {
    const { DRAIN_SEC: seconds } = services.settings.config;
    services.control.restart();
    return {
      note: text(
        `The server stops as soon as its calls are over, in ${seconds} s at the latest, and starts anew`,
        `呼叫结束后（最迟 ${seconds} 秒）服务将停止并重新启动`,
      ),
    };
  },
});

const drainReport: ReportSpec = {
  name: 'drain',
  title: text('State', '状态'),
  columns: [
    { key: 'state', title: text('State', '运行状态'), words: SERVER_STATE_WORDS },
    { key: 'active', title: text('Calls', '当前呼叫') },
  ],
};

const setDrain = defineCommand({
  verb: 'SET',
  object: 'DRAIN',
  purpose: text(
    'Refuse new calls, messages and subscriptions with 503 (ON), or take them again (OFF); calls that are up go on',
    '拒绝新呼叫、消息与订阅（ON）或恢复（OFF）；已有呼叫不受影响',
  ),
  params: {
    STATE: {
      type: oneOf(['ON', 'OFF']),
      purpose: text('ON refuses, OFF takes again', 'ON 拒绝，OFF 恢复'),
      required: true,
      keyword: true,
      example: 'ON',
    },
  },
  dangerous: text('Callers hear 503 while the server drains.', '排空期间主叫将收到 503。'),
  reports: [drainReport],
  examples: ['SET DRAIN: STATE=ON', 'SET DRAIN: STATE=OFF, CONFIRM=YES'],
  handler({ services }, { STATE: state }) {
    services.control.setDraining(state === 'ON');
    const row = { state: services.system().state, active: services.calls.count().active };
    return { sections: [{ report: drainReport, rows: [row] }] };
  },
});

/** The server as a whole: DSP SYSCFG, DSP SRVSTAT, DSP LICENSEINFO, RST SERVICE, SET DRAIN. */
export const serviceCommands: readonly Command[] = [
  displayConfiguration,
  displayStatus,
  displayLicences,
  restart,
  setDrain,
];
