import type { TaskView } from '../../tasks/types.js';
import { splitStatements } from '../grammar/statement-splitter.js';
import { type Command, type CommandResult, defineCommand } from '../registry/command.js';
import { oneOf } from '../registry/param-types.js';
import { text } from '../text.js';
import { NOTE } from './note-param.js';
import { LIMIT } from './paging.js';
import { mine, readScript, toTimes } from './task-input.js';
import {
  CONTENT,
  NAME,
  ONERROR,
  runReport,
  runRow,
  SCHEDULE,
  scriptReport,
  taskReport,
  taskRow,
} from './task-params.js';

const REQUIRED_NAME = { ...NAME, required: true } as const;

const shown = (task: TaskView): CommandResult => ({
  sections: [{ report: taskReport, rows: [taskRow(task)] }],
});

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
  params: { NAME, LIMIT: { ...LIMIT, default: '20' } },
  reports: [runReport],
  examples: ['DSP TASK', 'DSP TASK: NAME=nightly, LIMIT=1'],
  async handler({ services, clock }, { NAME: name, LIMIT: limit }) {
    const runs = await services.tasks.runs(name);
    const rows = runs.slice(0, limit).map((run) => runRow(run, clock.now()));
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
