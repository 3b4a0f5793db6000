import { checkCron } from '../../tasks/schedule.js';
import { ON_ERROR, TASK_NAME, type TaskRun, type TaskView } from '../../tasks/types.js';
import {
  type ParamSpec,
  type ParamType,
  type ReportSpec,
  type Row,
  ValueProblem,
} from '../registry/command.js';
import { datetime } from '../registry/date-range.js';
import { oneOf, string } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

/** An expression of five parts that comes true some day. */
const cron: ParamType<string> = {
  name: text('cron expression', 'cron 表达式'),
  allowed: text(
    'minute, hour, day, month and weekday of a time that comes, such as "0 2 * * MON-FRI"',
    '分、时、日、月、星期（须是会到来的时间），例如 "0 2 * * MON-FRI"',
  ),
  parse(value) {
    const expression = value.text.trim().replace(/\s+/g, ' ').toUpperCase();
    try {
      checkCron(expression);
    } catch {
      throw new ValueProblem('invalid');
    }
    return expression;
  },
};

const taskName: ParamType<string> = {
  name: text('name', '名称'),
  allowed: text('1..32 letters, digits, _ . and -', ' 1..32 个字母、数字、_ . 或 -'),
  parse(value) {
    if (!TASK_NAME.test(value.text)) throw new ValueProblem('invalid');
    return value.text;
  },
};

/** When a task runs once; that it lies in the future is checked where it is kept. */
const moment: ParamType<number> = {
  name: datetime.name,
  allowed: text('a time such as "2026-11-20 02:00"', '时间，例如 "2026-11-20 02:00"'),
  parse: datetime.parse,
};

export const NAME = {
  type: taskName,
  purpose: text('Task', '任务'),
  example: 'nightly',
  suggest: async (services: Services) => (await services.tasks.list()).slice(0, 20).map(({ name }) => name),
} as const satisfies ParamSpec;

export const CONTENT = {
  COMMAND: {
    type: string({ max: 4000 }),
    purpose: text('Commands, divided by ;', '命令，多条用 ; 分隔'),
    holdsCommands: true,
    example: '"EXP CDR: DATE=YESTERDAY"',
    aliases: ['CMD'],
  },
  FILE: {
    type: string({ max: 200 }),
    purpose: text(
      'Script below DATA_DIR/exchange, read now: later changes of the file do not count',
      'DATA_DIR/exchange 之下的脚本，立即读入；之后修改文件不影响任务',
    ),
    example: 'night.mml',
  },
} as const satisfies Record<string, ParamSpec>;

export const SCHEDULE = {
  AT: {
    type: moment,
    purpose: text('Run once, at this time', '在此时间执行一次'),
    example: '"2030-01-01 02:00"',
  },
  CRON: {
    type: cron,
    purpose: text(
      'Run again and again, in the time zone of the server',
      '按 cron 表达式重复执行（服务器时区）',
    ),
    example: '"0 2 * * *"',
  },
} as const satisfies Record<string, ParamSpec>;

export const ONERROR = {
  type: oneOf(ON_ERROR),
  purpose: text('After a command that fails: stop, or go on', '命令失败后：停止或继续'),
} as const satisfies ParamSpec;

export const taskReport: ReportSpec = {
  name: 'tasks',
  title: text('Task', '任务'),
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'state', title: text('State', '状态') },
    { key: 'schedule', title: text('Schedule', '计划') },
    { key: 'nextAt', title: text('Next', '下次执行'), format: 'time' },
    { key: 'lastAt', title: text('Last', '上次执行'), format: 'time' },
    { key: 'lastState', title: text('Result', '结果') },
    { key: 'runsAs', title: text('Runs as', '执行身份') },
    { key: 'commands', title: text('Commands', '命令数') },
    { key: 'onError', title: text('On error', '失败时') },
    { key: 'source', title: text('From', '来源') },
    { key: 'note', title: text('For', '说明') },
  ],
};

export const scriptReport: ReportSpec = {
  name: 'script',
  title: text('Script', '脚本'),
  layout: 'table',
  columns: [
    { key: 'line', title: text('Line', '行') },
    { key: 'command', title: text('Command', '命令') },
  ],
};

export const runReport: ReportSpec = {
  name: 'runs',
  title: text('Runs', '执行记录'),
  layout: 'table',
  columns: [
    { key: 'task', title: text('Task', '任务') },
    { key: 'startedAt', title: text('Begun', '开始时间'), format: 'time' },
    { key: 'state', title: text('State', '状态') },
    { key: 'done', title: text('Done', '已执行') },
    { key: 'total', title: text('Of', '总数') },
    { key: 'failed', title: text('Failed', '失败') },
    { key: 'line', title: text('Line', '行') },
    { key: 'retcode', title: text('RETCODE', 'RETCODE') },
    { key: 'durationMs', title: text('Took', '耗时'), format: 'milliseconds' },
    { key: 'by', title: text('By', '发起') },
    { key: 'file', title: text('Result file', '结果文件') },
    { key: 'node', title: text('Server', '服务器') },
  ],
};

/** Whoever has the admin socket is one, whatever the name. */
const OWNER_OF_MACHINE = text('local (ims mml)', '本机 (ims mml)');

/** A task as a row. One whose only time has passed is DONE. */
export function taskRow(task: TaskView): Row {
  const { name, note, at, cron: expression, nextAt, last, onError, owner, source, commands, isActive } = task;
  const state = last?.state === 'RUNNING' ? 'RUNNING' : isActive ? 'ACTIVE' : 'INACTIVE';
  return {
    name,
    state: state === 'ACTIVE' && at !== undefined && nextAt === undefined ? 'DONE' : state,
    schedule: expression ?? (at === undefined ? 'NONE' : 'ONCE'),
    nextAt,
    lastAt: last?.startedAt,
    lastState: last?.state,
    runsAs: owner.isLocal ? OWNER_OF_MACHINE : owner.name,
    commands,
    onError,
    source,
    note,
  };
}

/** A run as a row; `now` counts for one that is going. */
export function runRow(run: TaskRun, now: number): Row {
  const { task, startedAt, endedAt = now, state, done, total, failed, line, retcode, by, file, node } = run;
  const durationMs = Math.max(0, endedAt - startedAt);
  return { task, startedAt, state, done, total, failed, line, retcode, durationMs, by, file, node };
}
