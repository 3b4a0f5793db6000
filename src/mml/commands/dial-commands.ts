import type { DialJobView } from '../../dialler/types.js';
import {
  type Command,
  type CommandContext,
  defineCommand,
  type ParamSpec,
  type ReportSpec,
  type Values,
} from '../registry/command.js';
import { dialList, flag, oneOf, string, username } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import { DIAL_STATE_WORDS } from '../report/words.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { ORDER, orderFields, range } from './dial-params.js';
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

async function startJob(
  { services, session }: CommandContext,
  numbers: readonly string[],
  values: Values<typeof ORDER>,
  parallel?: number,
) {
  const order = { ...orderFields(values), numbers, by: session.operator, parallel };
  const job = await services.dialler.start(order);
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

/** Jobs of the announcement dialler: STR CALL SINGLE and BATCH, STP CALL, DSP DIALJOB. */
export const dialCommands: readonly Command[] = [startSingle, startBatch, stopCall, displayJobs];
