import { splitStatements } from '../grammar/statement-splitter.js';
import { canonicalName } from '../registry/bind-params.js';
import { isSecret } from '../registry/command.js';
import type { Resolved } from '../registry/registry.js';

/** The text before a `?` that ends the command, outside quotes; undefined when there is none. */
export function helpQuestion(source: string): string | undefined {
  const before = /^(.*[\s:=,])\?$/s.exec(source)?.[1];
  return before !== undefined && splitStatements(source, 'line').at(-1)?.openQuote === false
    ? before
    : undefined;
}

/** What a command is about: the value of its first parameter, unless that is a secret. */
export function subjectOf({ command, params }: Resolved): string {
  const [name, spec] = Object.entries(command.params)[0] ?? [];
  const given = params.find(
    (param) => param.name !== undefined && canonicalName(command, param.name) === name,
  );
  return given && spec && !isSecret(spec, params) ? given.value.text : '';
}
