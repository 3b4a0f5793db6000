import type { TaskOwner, TaskScript, TaskTimes, TaskView } from '../../tasks/types.js';
import { checkScript } from '../batch/check-script.js';
import { MmlError } from '../errors.js';
import { splitStatements } from '../grammar/statement-splitter.js';
import { type Command, type CommandContext, type CommandResult, defineCommand } from '../registry/command.js';
import { oneOf } from '../registry/param-types.js';
import { text } from '../text.js';
import {
  CONTENT,
  NAME,
  NOTE,
  ONERROR,
  runReport,
  runRow,
  SCHEDULE,
  scriptReport,
  taskReport,
  taskRow,
} from './task-params.js';

const REQUIRED_NAME = { ...NAME, required: true } as const;
const DEFAULT_RUNS = 20;

const shown = (task: TaskView): CommandResult => ({
  sections: [{ report: taskReport, rows: [taskRow(task)] }],
});

/** The task of that name; tasks of others are for ADMIN to change. Rejects with MmlError 4001 or 3007. */
async function mine({ services, session }: CommandContext, name: string): Promise<TaskView> {
  const task = await services.tasks.get(name);
  if (!task) {
    const hint = text('See LST TASK', '请查看 LST TASK');
    throw new MmlError(4001, { what: text('task', '任务'), name, hint });
  }
  const isOwn = !task.owner.isLocal && task.owner.name === session.operator;
  if (!isOwn && session.role !== 'ADMIN') {
    const reason = text(
      `the task belongs to ${task.owner.name}; only that operator and an ADMIN change it`,
      `该任务属于 ${task.owner.name}；只有其本人与 ADMIN 可以操作`,
    );
    throw new MmlError(3007, { reason });
  }
  return task;
}

async function ownerOf({ services, session }: CommandContext): Promise<TaskOwner> {
  const { operator: name, transport } = session;
  if (transport === 'local') return { name, isLocal: true, since: 0 };
  const operator = await services.operators.present(name);
  if (!operator) throw new MmlError(3009, { name });
  return { name, isLocal: false, since: operator.createdAt };
}

interface Content {
  readonly COMMAND?: string | undefined;
  readonly FILE?: string | undefined;
}

/** Reads and checks the commands of a task, as this operator may run them. Undefined when none are given. */
async function readScript(
  context: CommandContext,
  { COMMAND: command, FILE: file }: Content,
): Promise<TaskScript | undefined> {
  if (command === undefined && file === undefined) return undefined;
  const { console, session } = context;
  const source = command ?? (await console.files.read(file!));
  const check = (one: string) => console.check(one, session);
  const { statements, faults } = checkScript(source, console.registry, check);
  const [first] = faults;
  if (first) {
    const { line, error } = first;
    throw new MmlError(2011, { line, count: faults.length, retcode: error.retcode, reason: error.sentence });
  }
  return {
    text: source,
    source: file ?? 'COMMAND',
    commands: statements.length,
    owner: await ownerOf(context),
  };
}

interface Schedule {
  readonly AT?: number | undefined;
  readonly CRON?: string | undefined;
}

function toTimes({ AT: at, CRON: cron }: Schedule): TaskTimes | undefined {
  if (at === undefined && cron === undefined) return undefined;
  return { ...(at !== undefined && { at }), ...(cron !== undefined && { cron }) };
}

const listTasks = defineCommand({
  verb: 'LST',
  object: 'TASK',
  purpose: text(
    'List the tasks, batches of commands that the server runs; one with its script',
    '查询任务（服务器执行的命令批）；带 NAME 时显示脚本',
  ),
  params: { NAME },
  reports: [taskReport, scriptReport],
  examples: ['LST TASK', 'LST TASK: NAME=nightly'],
  async handler({ services }, { NAME: name }) {
    if (name === undefined) {
      return { sections: [{ report: taskReport, rows: (await services.tasks.list()).map(taskRow) }] };
    }
    const script = await services.tasks.script(name);
    const task = await services.tasks.get(name);
    const lines = splitStatements(script, 'script').map(({ line, text: command }) => ({ line, command }));
    return {
      sections: [
        { report: taskReport, rows: task ? [taskRow(task)] : [] },
        { report: scriptReport, rows: lines },
      ],
    };
  },
});

const addTask = defineCommand({
  verb: 'ADD',
  object: 'TASK',
  purpose: text(
    'Create a task: commands that the server runs as you, once, by cron expression, or when STR TASK says so',
    '增加任务：服务器以你的身份执行的命令，一次、按 cron 表达式或由 STR TASK 启动',
  ),
  params: {
    NAME: REQUIRED_NAME,
    ...CONTENT,
    ...SCHEDULE,
    ONERROR: { ...ONERROR, default: 'STOP' },
    NOTE,
  },
  oneOf: [['COMMAND', 'FILE']],
  excludes: [
    ['COMMAND', 'FILE'],
    ['AT', 'CRON'],
  ],
  reports: [taskReport],
  examples: [
    'ADD TASK: NAME=nightly, COMMAND="EXP CDR: DATE=YESTERDAY; DSP CDR STAT: DATE=YESTERDAY", CRON="0 2 * * *"',
    'ADD TASK: NAME=move, FILE=move.mml, AT="2030-01-01 02:00", ONERROR=GO',
    'ADD TASK: NAME=check, COMMAND="DSP SRVSTAT; DSP PERF"',
  ],
  async handler(context, { NAME: name, ONERROR: onError, NOTE: note, ...values }) {
    const script = (await readScript(context, values))!;
    return shown(await context.services.tasks.add(name, { script, times: toTimes(values), onError, note }));
  },
});

const modifyTask = defineCommand({
  verb: 'MOD',
  object: 'TASK',
  purpose: text(
    'Change a task; who gives its commands anew is who it runs as',
    '修改任务；重新给出命令者成为其执行身份',
  ),
  params: {
    NAME: REQUIRED_NAME,
    ...CONTENT,
    ...SCHEDULE,
    SCHEDULE: { type: oneOf(['NONE']), purpose: text('NONE: no schedule any more', 'NONE：取消计划') },
    ONERROR,
    NOTE,
  },
  oneOf: [['COMMAND', 'FILE', 'AT', 'CRON', 'SCHEDULE', 'ONERROR', 'NOTE']],
  excludes: [
    ['COMMAND', 'FILE'],
    ['AT', 'CRON', 'SCHEDULE'],
  ],
  reports: [taskReport],
  examples: ['MOD TASK: NAME=nightly, CRON="30 3 * * MON-FRI"', 'MOD TASK: NAME=nightly, SCHEDULE=NONE'],
  async handler(context, { NAME: name, ONERROR: onError, NOTE: note, SCHEDULE: none, ...values }) {
    await mine(context, name);
    const script = await readScript(context, values);
    const times = none ? {} : toTimes(values);
    return shown(await context.services.tasks.modify(name, { script, times, onError, note }));
  },
});

const removeTask = defineCommand({
  verb: 'RMV',
  object: 'TASK',
  purpose: text('Remove a task with its runs and result files', '删除任务及其执行记录与结果文件'),
  params: { NAME: REQUIRED_NAME },
  examples: ['RMV TASK: NAME=nightly'],
  async handler(context, { NAME: name }) {
    await mine(context, name);
    await context.services.tasks.remove(name);
    return {};
  },
});

const activateTask = defineCommand({
  verb: 'ACT',
  object: 'TASK',
  purpose: text('Keep the schedule of a task again', '启用任务的计划'),
  params: { NAME: REQUIRED_NAME },
  reports: [taskReport],
  examples: ['ACT TASK: NAME=nightly'],
  async handler(context, { NAME: name }) {
    await mine(context, name);
    return shown(await context.services.tasks.modify(name, { isActive: true }));
  },
});

const deactivateTask = defineCommand({
  verb: 'DEA',
  object: 'TASK',
  purpose: text(
    'Keep the schedule of a task no more; a run that is going goes on',
    '停用任务的计划；正在执行的不受影响',
  ),
  params: { NAME: REQUIRED_NAME },
  reports: [taskReport],
  examples: ['DEA TASK: NAME=nightly'],
  async handler(context, { NAME: name }) {
    await mine(context, name);
    return shown(await context.services.tasks.modify(name, { isActive: false }));
  },
});

const startTask = defineCommand({
  verb: 'STR',
  object: 'TASK',
  purpose: text('Run a task now; DSP TASK shows how it gets on', '立即执行任务；DSP TASK 查看进度'),
  params: { NAME: REQUIRED_NAME },
  reports: [runReport],
  examples: ['STR TASK: NAME=nightly'],
  async handler(context, { NAME: name }) {
    const { services, session, clock } = context;
    await mine(context, name);
    const run = await services.tasks.start(name, session.operator);
    return { sections: [{ report: runReport, rows: [runRow(run, clock.now())] }] };
  },
});

const stopTask = defineCommand({
  verb: 'STP',
  object: 'TASK',
  purpose: text(
    'Stop a task that runs, after the command that it is at',
    '停止正在执行的任务（当前命令之后）',
  ),
  params: { NAME: REQUIRED_NAME },
  reports: [runReport],
  examples: ['STP TASK: NAME=nightly'],
  async handler(context, { NAME: name }) {
    await mine(context, name);
    const run = await context.services.tasks.stop(name);
    return { sections: [{ report: runReport, rows: [runRow(run, context.clock.now())] }] };
  },
});

const displayTasks = defineCommand({
  verb: 'DSP',
  object: 'TASK',
  purpose: text(
    'Show the runs of tasks, newest first: how far they are, and what came of them',
    '查询任务的执行记录（最新在前）：进度与结果',
  ),
  params: { NAME },
  reports: [runReport],
  examples: ['DSP TASK', 'DSP TASK: NAME=nightly'],
  async handler({ services, clock }, { NAME: name }) {
    const runs = await services.tasks.runs(name);
    const rows = runs.slice(0, DEFAULT_RUNS).map((run) => runRow(run, clock.now()));
    return { sections: [{ report: runReport, rows }] };
  },
});

/** Batches of commands that the server runs: LST, ADD, MOD, RMV, ACT, DEA, STR, STP, DSP TASK. */
export const taskCommands: readonly Command[] = [
  listTasks,
  addTask,
  modifyTask,
  removeTask,
  activateTask,
  deactivateTask,
  startTask,
  stopTask,
  displayTasks,
];
