import { CommandError, ERROR } from './error-codes.js';

/** Longest command taken, bytes; as RTPProxy. */
export const MAX_COMMAND_BYTES = 8_192;
/** Most words in a command; as RTPProxy. */
const MAX_WORDS = 24;

/** A command whose letter, number of arguments and right to have modifiers have been checked. */
export interface Command {
  readonly name: CommandName;
  /** Letters after the command's own. */
  readonly modifiers: string;
  readonly args: readonly string[];
}

export type CommandName = 'U' | 'L' | 'D' | 'P' | 'R' | 'C' | 'S' | 'N' | 'V' | 'VF' | 'I' | 'Q' | 'X' | 'G';

/** Least and most arguments after the command word, and whether it takes modifiers. */
const SHAPES: Readonly<Record<CommandName, { min: number; max: number; modifiers: boolean }>> = {
  U: { min: 4, max: 7, modifiers: true },
  L: { min: 4, max: 5, modifiers: true },
  D: { min: 2, max: 3, modifiers: true },
  P: { min: 4, max: 5, modifiers: true },
  R: { min: 2, max: 3, modifiers: true },
  C: { min: 3, max: 4, modifiers: true },
  S: { min: 2, max: 3, modifiers: false },
  N: { min: 2, max: 3, modifiers: true },
  V: { min: 0, max: 0, modifiers: false },
  VF: { min: 1, max: 1, modifiers: false },
  I: { min: 0, max: 0, modifiers: true },
  Q: { min: 2, max: MAX_WORDS, modifiers: true },
  X: { min: 0, max: 0, modifiers: false },
  G: { min: 0, max: MAX_WORDS, modifiers: true },
};

/** Splits a datagram into its cookie and the command after it. The cookie is empty when there is not even that. */
export function splitCookie(datagram: string): { cookie: string; line: string } {
  const match = /^\s*(\S*)\s*([\s\S]*)$/.exec(datagram)!;
  return { cookie: match[1]!, line: match[2]! };
}

/** Parses a command without its cookie. Throws CommandError. */
export function parseCommand(line: string): Command {
  if (line.length > MAX_COMMAND_BYTES || line.includes('\0')) throw new CommandError(ERROR.SYNTAX);
  const words = line.split(/\s+/).filter((word) => word !== '');
  const [first, ...args] = words;
  if (first === undefined || words.length > MAX_WORDS) throw new CommandError(ERROR.SYNTAX);
  const { name, modifiers } = commandName(first);
  const shape = SHAPES[name];
  const subcommand = args.indexOf('&&');
  const count = subcommand < 0 ? args.length : subcommand;
  if (count < shape.min || count > shape.max) throw new CommandError(ERROR.ARGUMENTS);
  if (modifiers !== '' && !shape.modifiers) throw new CommandError(ERROR.MODIFIERS);
  if (subcommand >= 0) throw new CommandError(ERROR.SUBCOMMAND);
  return { name, modifiers, args };
}

function commandName(word: string): { name: CommandName; modifiers: string } {
  const upper = word.toUpperCase();
  if (upper.startsWith('VF')) return { name: 'VF', modifiers: word.slice(2) };
  const name = upper[0]!;
  if (name in SHAPES) return { name: name as CommandName, modifiers: word.slice(1) };
  throw new CommandError(ERROR.UNKNOWN_COMMAND);
}
