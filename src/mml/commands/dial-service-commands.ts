import type { DialSettings } from '../../dialler/types.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec } from '../registry/command.js';
import { flag } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { ORDER, orderFields, range } from './dial-params.js';

const serviceReport: ReportSpec = {
  name: 'dialService',
  title: text('Dial service', '拨号服务'),
  columns: [
    { key: 'enabled', title: text('On', '启用'), format: 'yesno' },
    { key: 'jobs', title: text('Jobs that run', '运行中的任务') },
    { key: 'calls', title: text('Calls that are up', '当前呼叫') },
    { key: 'caller', title: text('Caller', '主叫') },
    { key: 'sound', title: text('Sound', '声音') },
    { key: 'parallel', title: text('Calls of a job at once', '每任务并发') },
    { key: 'maxParallel', title: text('Calls of all jobs at once', '总并发') },
    { key: 'noAnswerSec', title: text('No answer after', '无应答时间'), format: 'seconds' },
    { key: 'repeat', title: text('Played times', '播放遍数') },
    { key: 'retries', title: text('Retries', '重试次数') },
    { key: 'retrySec', title: text('Between tries', '重试间隔'), format: 'seconds' },
    { key: 'directory', title: text('Sounds', '声音目录') },
  ],
};

function serviceSections({ dialler, sounds }: Services, settings: DialSettings) {
  const jobs = dialler.jobs().filter(({ state }) => state === 'running').length;
  const { directory } = sounds;
  return {
    sections: [{ report: serviceReport, rows: [{ ...settings, jobs, calls: dialler.running, directory }] }],
  };
}

const displayService = defineCommand({
  verb: 'DSP',
  object: 'DIALSVC',
  purpose: text(
    'Show the dial service: whether it runs, and what jobs start from',
    '查询拨号服务及其缺省设置',
  ),
  params: { CFG: { type: flag('CFG'), purpose: text('The same', '同上'), keyword: true }, WATCH },
  reports: [serviceReport],
  examples: ['DSP DIALSVC', 'DSP DIALSVC CFG'],
  handler: async ({ services }) => serviceSections(services, await services.dialler.settings()),
});

const startService = defineCommand({
  verb: 'STR',
  object: 'DIALSVC',
  purpose: text('Switch the dial service on', '启动拨号服务'),
  params: {},
  reports: [serviceReport],
  examples: ['STR DIALSVC'],
  handler: async ({ services }) =>
    serviceSections(services, await services.dialler.modify({ enabled: true })),
});

const stopService = defineCommand({
  verb: 'STP',
  object: 'DIALSVC',
  purpose: text('Switch the dial service off: its jobs stop', '停止拨号服务及其任务'),
  params: {},
  role: 'OPERATOR',
  dangerous: text('All dial jobs stop and their calls end.', '所有拨号任务将停止，其呼叫将结束。'),
  reports: [serviceReport],
  examples: ['STP DIALSVC'],
  handler: async ({ services }) =>
    serviceSections(services, await services.dialler.modify({ enabled: false })),
});

const setService = defineCommand({
  verb: 'SET',
  object: 'DIALSVC',
  purpose: text('Set what dial jobs start from', '设置拨号任务的缺省值'),
  params: {
    ...ORDER,
    PARALLEL: { type: range('parallel'), purpose: text('Calls of a job at once', '每任务并发') },
    MAXPARALLEL: { type: range('maxParallel'), purpose: text('Calls of all jobs at once', '总并发') },
  },
  reports: [serviceReport],
  examples: ['SET DIALSVC: CALLER=1002, SOUND="tone:beep", PARALLEL=10, NOANSSEC=40'],
  async handler({ services }, values) {
    if (Object.values(values).every((value) => value === undefined))
      throw new MmlError(2007, { names: 'SOUND, CALLER, PARALLEL…' });
    const { PARALLEL: parallel, MAXPARALLEL: maxParallel } = values;
    const settings = await services.dialler.modify({ ...orderFields(values), parallel, maxParallel });
    return serviceSections(services, settings);
  },
});

/** What dial jobs start from, and whether any do: DSP, STR, STP, SET DIALSVC. */
export const dialServiceCommands: readonly Command[] = [
  displayService,
  startService,
  stopService,
  setService,
];
