import { MmlError } from '../errors.js';
import { type ParsedCommand, parseCommand } from '../grammar/command-parser.js';
import { splitStatements } from '../grammar/statement-splitter.js';
import { canonicalName } from './bind-params.js';
import type { Command } from './command.js';
import type { Registry } from './registry.js';

/** Where the cursor stands in a command being typed; what `?` explains and Tab completes. */
export type LineContext =
  /** At a verb, an object, a variant or, when `command` is known already, a parameter. */
  | {
      readonly stage: 'word';
      readonly words: readonly string[];
      readonly partial: string;
      readonly command: Command | undefined;
    }
  | {
      readonly stage: 'param';
      readonly command: Command;
      readonly partial: string;
      readonly used: ReadonlySet<string>;
    }
  | {
      readonly stage: 'value';
      readonly command: Command;
      readonly name: string;
      readonly partial: string;
      readonly quoted: boolean;
    }
  /** Inside something that does not parse, or in a command that is not known. */
  | { readonly stage: 'lost'; readonly words: readonly string[] };

/** Reads the text before the cursor; only its last command counts. */
export function lineContext(registry: Registry, before: string): LineContext {
  const source = lastStatement(before);
  const value = /([\p{L}\p{N}_]+)=("(?:[^"\\]|\\.)*|[^\s,"]*)$/u.exec(source);
  if (value) return valueContext(registry, source.slice(0, value.index), value[1]!, value[2]!);
  const partial = /[\p{L}\p{N}_.?*+-]*$/u.exec(source)![0];
  const head = source.slice(0, source.length - partial.length);
  const parsed = tryParse(head);
  if (!parsed) return { stage: 'lost', words: [] };
  const words = parsed.words.map((word) => word.text);
  const command = tryResolve(registry, parsed);
  const inHead = parsed.params.length === 0 && !/[:,]\s*$/.test(head);
  if (inHead && (words.length === 0 || registry.next(words).size > 0)) {
    return { stage: 'word', words, partial: partial.toUpperCase(), command };
  }
  if (!command) return { stage: 'lost', words };
  return { stage: 'param', command, partial: partial.toUpperCase(), used: usedNames(command, parsed) };
}

function valueContext(registry: Registry, head: string, name: string, written: string): LineContext {
  const parsed = tryParse(head);
  const command = parsed && tryResolve(registry, parsed);
  const known = command && canonicalName(command, name.toUpperCase());
  if (!command || known === undefined) {
    return { stage: 'lost', words: parsed?.words.map((word) => word.text) ?? [] };
  }
  const quoted = written.startsWith('"');
  const partial = quoted ? written.slice(1) : written.slice(written.lastIndexOf('&') + 1);
  return { stage: 'value', command, name: known, partial, quoted };
}

/** Names already given, by their canonical spelling. */
function usedNames(command: Command, parsed: ParsedCommand): Set<string> {
  const names = parsed.params.flatMap((param) => (param.name === undefined ? [] : [param.name]));
  return new Set(names.map((name) => canonicalName(command, name) ?? name));
}

function lastStatement(before: string): string {
  if (/;\s*$/.test(before) && splitStatements(before, 'line').at(-1)?.terminated) return '';
  const last = splitStatements(before, 'line').at(-1);
  if (!last) return '';
  // White space at the end tells `DSP` from `DSP `; the splitter trims it.
  return last.openQuote ? last.text : last.text + /[ \t]*$/.exec(before)![0];
}

function tryParse(head: string): ParsedCommand | undefined {
  try {
    return parseCommand(head.replace(/[,\s]+$/, ''));
  } catch (error) {
    if (error instanceof MmlError) return undefined;
    throw error;
  }
}

function tryResolve(registry: Registry, parsed: ParsedCommand): Command | undefined {
  try {
    return parsed.words.length === 0 ? undefined : registry.resolve(parsed).command;
  } catch (error) {
    if (error instanceof MmlError) return undefined;
    throw error;
  }
}
