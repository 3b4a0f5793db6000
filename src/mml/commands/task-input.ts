import type { TaskOwner, TaskScript, TaskTimes, TaskView } from '../../tasks/types.js';
import { checkScript } from '../batch/check-script.js';
import { MmlError } from '../errors.js';
import { MAX_TASK_BYTES } from '../limits.js';
import type { CommandContext } from '../registry/command.js';
import { text } from '../text.js';

/** The task of that name; tasks of others are for ADMIN to change. Rejects with MmlError 4001 or 3007. */
export async function mine({ services, session }: CommandContext, name: string): Promise<TaskView> {
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
export async function readScript(
  context: CommandContext,
  { COMMAND: command, FILE: file }: Content,
): Promise<TaskScript | undefined> {
  if (command === undefined && file === undefined) return undefined;
  const { console, session } = context;
  const source = command ?? (await console.files.read(file!, MAX_TASK_BYTES));
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

/** When a task runs, as given; undefined when nothing is. */
export function toTimes({ AT: at, CRON: cron }: Schedule): TaskTimes | undefined {
  if (at === undefined && cron === undefined) return undefined;
  return { ...(at !== undefined && { at }), ...(cron !== undefined && { cron }) };
}
