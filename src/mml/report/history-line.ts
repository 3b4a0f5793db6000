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
    const found = registry.match(parseCommand(source));
    if (!found) return masked(source);
    const { command, params } = found;
    const kept = maskCommand(command, params, '');
    return kept === maskCommand(command, params) ? source : kept;
  } catch (error) {
    if (error instanceof MmlError) return masked(source);
    throw error;
  }
}

const masked = (source: string) => maskText(source).replace(/\*{6}$/, '');
