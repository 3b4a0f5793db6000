import { MmlError } from '../errors.js';
import { type ParsedParam, parseCommand } from '../grammar/command-parser.js';
import { type Statement, splitStatements } from '../grammar/statement-splitter.js';
import { MAX_TASK_COMMANDS } from '../limits.js';
import { canonicalName } from '../registry/bind-params.js';
import { type Command, isSecret } from '../registry/command.js';
import type { Registry } from '../registry/registry.js';
import { text } from '../text.js';

/** A command of a script that cannot be run as it is written. */
export interface ScriptFault {
  /** Line of the script, from 1. */
  readonly line: number;
  readonly error: MmlError;
}

export interface CheckedScript {
  readonly statements: readonly Statement[];
  readonly faults: readonly ScriptFault[];
}

/** Verbs on tasks that change nothing. */
const READING = new Set(['LST', 'DSP']);

/**
 * Divides the script of a task into commands and finds those that cannot be run: what `check` says of each, and what a task may not
 * hold: secrets, since it is kept as it is, reports that go on, and commands on tasks, since a task must not make others.
 */
export function checkScript(
  source: string,
  registry: Registry,
  check: (command: string) => MmlError | undefined,
): CheckedScript {
  const statements = splitStatements(source, 'script');
  if (statements.length === 0)
    return { statements, faults: [{ line: 1, error: new MmlError(2010, { reason: EMPTY }) }] };
  if (statements.length > MAX_TASK_COMMANDS) {
    const error = new MmlError(2010, { reason: TOO_MANY });
    return { statements, faults: [{ line: statements[MAX_TASK_COMMANDS]!.line, error }] };
  }
  const faults = statements.flatMap(({ text: command, line }) => {
    const error = check(command) ?? unfit(command, registry);
    return error ? [{ line, error }] : [];
  });
  return { statements, faults };
}

/** Parameters that make a report go on until somebody ends it. */
const GOES_ON = new Set(['WATCH', 'FOLLOW']);

/** Why a command does not belong into a task; it is known to be written rightly. */
function unfit(source: string, registry: Registry): MmlError | undefined {
  const { command, params } = registry.resolve(parseCommand(source));
  const secret = params.map(({ name }) => secretOf(command, name, params)).find((name) => name !== undefined);
  if (secret !== undefined)
    return new MmlError(2010, { reason: secretReason(secret, command.params[secret]?.secret) });
  if (params.some((param) => goesOn(command, param))) return new MmlError(4004);
  const isOnTasks = command.object === 'TASK' && !READING.has(command.verb);
  return isOnTasks ? new MmlError(3007, { reason: NO_TASKS }) : undefined;
}

function goesOn(command: Command, { name, value }: ParsedParam): boolean {
  const own = name === undefined ? undefined : canonicalName(command, name);
  return own !== undefined && GOES_ON.has(own) && value.text.toUpperCase() !== 'NO';
}

function secretOf(
  command: Command,
  name: string | undefined,
  params: readonly ParsedParam[],
): string | undefined {
  const own = name === undefined ? undefined : canonicalName(command, name);
  return own !== undefined && isSecret(command.params[own]!, params) ? own : undefined;
}

const EMPTY = text('there is no command in it', '其中没有命令');
const TOO_MANY = text(
  `a task has ${MAX_TASK_COMMANDS} commands at most; divide it into several`,
  `一个任务最多 ${MAX_TASK_COMMANDS} 条命令；请拆成几个任务`,
);
const NO_TASKS = text('a task cannot change tasks', '任务不能修改任务');
const secretReason = (name: string, isSure = false) =>
  text(
    `${name} ${isSure ? 'is' : 'may be'} a secret, and a task is kept as it is written; use a file that IMP reads`,
    `${name} ${isSure ? '是' : '可能是'}敏感信息，而任务按原文保存；请改用 IMP 读取的文件`,
  );
