import { MmlError } from '../errors.js';
import { type ParamValue, parseCommand, plainValue } from '../grammar/command-parser.js';
import { canonicalName, keywordOwner } from '../registry/bind-params.js';
import { type Command, isSecret } from '../registry/command.js';
import type { Resolved } from '../registry/registry.js';
import { mayRun } from '../registry/roles.js';
import { text } from '../text.js';
import type { RunOptions } from './command-executor.js';
import type { SessionState } from './session-state.js';

/** The command with what it still needs, asked for where there is a terminal. */
export async function completed(
  resolved: Resolved,
  session: SessionState,
  options: RunOptions,
): Promise<Resolved> {
  const { command } = resolved;
  if (!options.prompt || !mayRun(session, command)) return resolved;
  const params = [...resolved.params];
  const given = new Set(
    params.map(({ name, value }) =>
      name === undefined ? keywordOwner(command, value.text) : canonicalName(command, name),
    ),
  );
  for (const [name, spec] of Object.entries(command.params)) {
    if (!spec.required || given.has(name)) continue;
    const secret = isSecret(spec, params);
    const answer = await options.prompt(name, { ...spec, secret });
    if (answer === undefined) throw new MmlError(3004);
    params.push({ name, value: secret ? plainValue(answer) : readAnswer(answer), position: 0 });
  }
  return { command, params };
}

/** An answer may be written as in a command, quotes and lists included; what cannot be is taken as it is. */
function readAnswer(answer: string): ParamValue {
  try {
    return parseCommand(`X Y: Z=${answer}`).params[0]?.value ?? plainValue(answer);
  } catch {
    return plainValue(answer);
  }
}

const QUESTION = text('Go on?', '是否继续？');

/** Asks whether a dangerous command is to be run, unless that was said. Throws MmlError 3003 or 3004 when it is not. */
export async function confirm(command: Command, confirmed: boolean, options: RunOptions): Promise<void> {
  if (!command.dangerous || confirmed) return;
  if (!options.ask) throw new MmlError(3003);
  const question = text(`${command.dangerous.en} ${QUESTION.en}`, `${command.dangerous.zh}${QUESTION.zh}`);
  if (!(await options.ask(question))) throw new MmlError(3004);
}
