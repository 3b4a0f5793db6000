import { MmlError } from '../errors.js';
import { parseCommand } from '../grammar/command-parser.js';
import { splitStatements } from '../grammar/statement-splitter.js';
import type { Registry } from '../registry/registry.js';
import { maskCommand, maskText } from './mask.js';

/** A line as the history keeps it: as typed, but with the values of secrets cut out. */
export function historyLine(registry: Registry, line: string): string {
  const statements = splitStatements(line, 'line').map((statement) =>
    withoutSecrets(registry, statement.text),
  );
  return statements.join('; ');
}

function withoutSecrets(registry: Registry, source: string): string {
  try {
    const { command, params } = registry.resolve(parseCommand(source));
    const hasSecrets = Object.values(command.params).some((spec) => spec.secret);
    return hasSecrets && params.length > 0 ? maskCommand(command, params, '') : source;
  } catch (error) {
    if (error instanceof MmlError) return maskText(source).replace(/\*{6}$/, '');
    throw error;
  }
}
