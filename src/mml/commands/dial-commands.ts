import { DIAL_RANGES } from '../../dialler/dial-settings.js';
import type { DialJobView, DialOrder, DialSettings } from '../../dialler/types.js';
import { MmlError } from '../errors.js';
import {
  type Command,
  type CommandContext,
  defineCommand,
  type ParamSpec,
  type ReportSpec,
} from '../registry/command.js';
import { dialList, flag, number, oneOf, string, username } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import { DIAL_STATE_WORDS } from '../report/words.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { SOUND } from './announcement-commands.js';
import { LIMIT } from './paging.js';

const MAX_NUMBERS = 1000;
const TARGET_STATES = ['waiting', 'calling', 'ringing', 'talking', 'done', 'failed', 'stopped'] as const;

const jobReport: ReportSpec = {
  name: 'dialJobs',
  title: text('Dial job', '拨号任务'),
  columns: [
    { key: 'id', title: text('Job', '任务') },
    { key: 'state', title: text('State', '状态'), words: DIAL_STATE_WORDS },
    { key: 'total', title: text('Numbers', '号码数') },
    { key: 'waiting', title: text('Waiting', '等待') },
    { key: 'running', title: text('Calling', '呼叫中') },
    { key: 'done', title: text('Played', '已播放') },
    { key: 'failed', title: text('Failed', '失败') },
    { key: 'stopped', title: text('Stopped', '已停止') },
    { key: 'calls', title: text('Calls', '呼叫次数') },
    { key: 'caller', title: text('Caller', '主叫') },
    { key: 'sound', title: text('Sound', '声音') },
    { key: 'parallel', title: text('At once', '并发') },
    { key: 'by', title: text('Ordered by', '操作员') },
    { key: 'startTime', title: text('Started', '开始时间'), format: 'time' },
    { key: 'endTime', title: text('Ended', '结束时间'), format: 'time' },
  ],
};

const targetReport: ReportSpec = {
  name: 'dialTargets',
  title: text('Number', '号码'),
  layout: 'table',
  columns: [
    { key: 'number', title: text('Number', '号码') },
    { key: 'state', title: text('State', '状态'), words: DIAL_STATE_WORDS },
    { key: 'tries', title: text('Tries', '次数') },
    { key: 'result', title: text('Result', '结果') },
    { key: 'reason', title: text('Reason', '原因') },
    { key: 'sipStatus', title: text('SIP status', 'SIP 状态') },
    { key: 'talkSec', title: text('Answered for', '通话时长'), format: 'seconds' },
    { key: 'isPlayed', title: text('Played', '已播完'), format: 'yesno' },
    { key: 'digits', title: text('Keys', '按键') },
    { key: 'recordId', title: text('Record', '话单') },
  ],
};

const range = (name: keyof typeof DIAL_RANGES) => number(DIAL_RANGES[name][0], DIAL_RANGES[name][1]);

const CALLER = {
  type: username,
  purpose: text(
    'Subscriber that calls; its number is shown, its rights count',
    '主叫用户；显示其号码并按其权限呼叫',
  ),
  example: '1000',
} as const satisfies ParamSpec;

/** What a job may say for itself; the rest is as SET DIALSVC has it. */
const ORDER = {
  SOUND: { ...SOUND, aliases: ['FILE', 'WAV'] },
  CALLER,
  REPEAT: { type: range('repeat'), purpose: text('How often it is played', '播放遍数') },
  NOANSSEC: {
    type: range('noAnswerSec'),
    purpose: text('From the start of a call until it counts as not answered, seconds', '无应答时间（秒）'),
  },
  RETRIES: {
    type: range('retries'),
    purpose: text('Further tries after busy, no answer or unreachable', '遇忙、无应答、不可达时的重试次数'),
  },
  RETRYSEC: { type: range('retrySec'), purpose: text('Between two tries, seconds', '重试间隔（秒）') },
} as const;

type OrderValues = {
  readonly [K in keyof typeof ORDER]?: string | number | undefined;
};

async function startJob(
  { services, session }: CommandContext,
  numbers: readonly string[],
  values: OrderValues,
  parallel?: number,
) {
  const { SOUND: sound, CALLER: caller, REPEAT: repeat } = values;
  const { NOANSSEC: noAnswerSec, RETRIES: retries, RETRYSEC: retrySec } = values;
  const order = {
    numbers,
    by: session.operator,
    sound,
    caller,
    repeat,
    noAnswerSec,
    retries,
    retrySec,
    parallel,
  };
  const job = await services.dialler.start(order as DialOrder);
  return {
    sections: [{ report: jobReport, rows: [{ ...job }] }],
    note: text(`See how it goes with DSP DIALJOB: JOB=${job.id}`, `进度请查看 DSP DIALJOB: JOB=${job.id}`),
  };
}

const startSingle = defineCommand({
  verb: 'STR',
  object: 'CALL',
  variant: 'SINGLE',
  purpose: text('Call a number and play a sound to whoever answers', '呼叫一个号码并播放声音'),
  params: {
    NUMBER: {
      type: username,
      purpose: text('Number to be called', '被叫号码'),
      required: true,
      aliases: ['CALLEE'],
      example: '1001',
    },
    ...ORDER,
  },
  reports: [jobReport],
  examples: ['STR CALL SINGLE: NUMBER=1001, SOUND="tone:beep", CALLER=1002'],
  handler: (context, values) => startJob(context, [values.NUMBER], values),
});

const startBatch = defineCommand({
  verb: 'STR',
  object: 'CALL',
  variant: 'BATCH',
  purpose: text(
    'Call many numbers, so many at once, and play a sound to whoever answers',
    '批量呼叫并播放声音',
  ),
  params: {
    NUMBERS: {
      type: dialList(MAX_NUMBERS),
      purpose: text('Numbers to be called', '被叫号码'),
      required: true,
      aliases: ['CALLEES'],
      example: '1001-1004&2000',
    },
    ...ORDER,
    PARALLEL: { type: range('parallel'), purpose: text('Calls at once', '并发呼叫数') },
  },
  reports: [jobReport],
  examples: ['STR CALL BATCH: NUMBERS=1001-1004, SOUND="tone:beep", CALLER=1002, PARALLEL=2'],
  handler: (context, values) => startJob(context, values.NUMBERS, values, values.PARALLEL),
});

const JOB = {
  type: string({ max: 32 }),
  purpose: text('Job, as DSP DIALJOB shows it', '任务，见 DSP DIALJOB'),
  example: 'SW2F0K',
  suggest: async (services: Services) =>
    services.dialler
      .jobs()
      .slice(0, 20)
      .map(({ id }) => id),
} as const satisfies ParamSpec;

const stopCall = defineCommand({
  verb: 'STP',
  object: 'CALL',
  purpose: text(
    'Stop a dial job, or every one: calls end, numbers that wait are not called',
    '停止某个或全部拨号任务：结束其呼叫，不再呼叫等待的号码',
  ),
  params: {
    JOB,
    ALL: {
      type: flag('ALL'),
      purpose: text('Every job; also without JOB', '全部任务；不带 JOB 亦然'),
      keyword: true,
    },
  },
  excludes: [['JOB', 'ALL']],
  examples: ['STP CALL ALL', 'STP CALL: JOB=SW2F0K'],
  async handler({ services }, { JOB: id }) {
    const count = await services.dialler.stop(id);
    return { note: text(`Jobs stopped: ${count}`, `已停止任务数：${count}`) };
  },
});

const displayJobs = defineCommand({
  verb: 'DSP',
  object: 'DIALJOB',
  purpose: text('Show dial jobs; one with its numbers and their results', '查询拨号任务及各号码的结果'),
  params: {
    JOB,
    STATE: { type: oneOf(TARGET_STATES), purpose: text('Numbers in that state only', '仅此状态的号码') },
    LIMIT,
    WATCH,
  },
  reports: [jobReport, targetReport],
  examples: ['DSP DIALJOB', 'DSP DIALJOB: JOB=SW2F0K, STATE=failed'],
  handler({ services }, { JOB: id, STATE: state, LIMIT: limit }) {
    const jobs = services.dialler.jobs();
    if (id === undefined) return { sections: [jobSection(jobs.slice(0, limit))] };
    const targets = services.dialler.targets(id).filter((one) => state === undefined || one.state === state);
    const rows = targets.slice(0, limit).map((target) => ({ ...target }));
    const note = text(
      `Shown: ${rows.length} of ${targets.length}`,
      `显示 ${targets.length} 个中的 ${rows.length} 个`,
    );
    return {
      sections: [
        jobSection(jobs.filter((job) => job.id === id)),
        { report: targetReport, rows, ...(targets.length > limit && { note }) },
      ],
    };
  },
});

const jobSection = (jobs: readonly DialJobView[]) => ({
  report: jobReport,
  rows: jobs.map((job) => ({ ...job })),
});

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
    const settings = await services.dialler.modify({
      sound: values.SOUND,
      caller: values.CALLER,
      repeat: values.REPEAT,
      noAnswerSec: values.NOANSSEC,
      retries: values.RETRIES,
      retrySec: values.RETRYSEC,
      parallel: values.PARALLEL,
      maxParallel: values.MAXPARALLEL,
    });
    return serviceSections(services, settings);
  },
});

/** The announcement dialler: STR CALL SINGLE and BATCH, STP CALL, DSP DIALJOB; DSP, STR, STP, SET DIALSVC. */
export const dialCommands: readonly Command[] = [
  startSingle,
  startBatch,
  stopCall,
  displayJobs,
  displayService,
  startService,
  stopService,
  setService,
];
