import { MmlError } from '../errors.js';
import type { ParsedCommand, ParsedParam } from '../grammar/command-parser.js';
import { type Bilingual, text } from '../text.js';
import type { Command } from './command.js';
import { nearest } from './nearest.js';

/** A command found, with the parameters that are left for it. */
export interface Resolved {
  readonly command: Command;
  readonly params: readonly ParsedParam[];
}

const MAX_PATH_WORDS = 3;

/** All commands by all their spellings. */
export class Registry {
  private readonly byPath = new Map<string, Command>();
  readonly commands: readonly Command[];

  constructor(commands: readonly Command[]) {
    this.commands = [...commands].sort((a, b) => a.path.localeCompare(b.path));
    for (const command of this.commands) {
      for (const path of [command.path, ...(command.aliases ?? [])]) {
        if (this.byPath.has(path)) throw new Error(`MML command ${path} is declared twice`);
        this.byPath.set(path, command);
      }
    }
  }

  /** The command of an exact spelling, upper case, one space between words. */
  find(path: string): Command | undefined {
    return this.byPath.get(path);
  }

  /** Every spelling, aliases included. */
  paths(): IterableIterator<string> {
    return this.byPath.keys();
  }

  /** Words that may follow `words` on the way to a command, with the commands they lead to. */
  next(words: readonly string[]): Map<string, Command[]> {
    return following(this.byPath, words);
  }

  /** The same for what begins with `partial`, old spellings left out unless there is nothing else. */
  suggest(words: readonly string[], partial: string): Map<string, Command[]> {
    const fits = (found: Map<string, Command[]>) =>
      new Map([...found].filter(([word]) => word.startsWith(partial)));
    const own = fits(following(new Map(this.commands.map((command) => [command.path, command])), words));
    return own.size > 0 ? own : fits(this.next(words));
  }

  /** Finds the command that the first words name; the longest spelling wins. Throws MmlError 1002 or 1003. */
  resolve(parsed: ParsedCommand): Resolved {
    const found = this.match(parsed);
    if (!found) throw this.unknown(parsed.words.map((word) => word.text));
    return found;
  }

  /** The same without looking for what could have been meant; undefined when there is no such command. */
  match(parsed: ParsedCommand): Resolved | undefined {
    const words = parsed.words.map((word) => word.text);
    for (let length = Math.min(MAX_PATH_WORDS, words.length); length > 0; length--) {
      const path = words.slice(0, length).join(' ');
      const command = this.byPath.get(path);
      if (command) return this.withVariant(path, command, parsed, length);
    }
    return undefined;
  }

  /** Bare words after the path are keywords; `DSP REG: STAT` means `DSP REG STAT`. */
  private withVariant(path: string, command: Command, parsed: ParsedCommand, length: number): Resolved {
    const keywords = parsed.words.slice(length).map((word) => ({
      name: undefined,
      value: { text: word.text, parts: [word.text], quoted: false },
      position: word.position,
    }));
    const params = [...keywords, ...parsed.params];
    const first = params[0];
    const variant =
      first && first.name === undefined ? this.byPath.get(`${path} ${first.value.text}`) : undefined;
    return variant ? { command: variant, params: params.slice(1) } : { command, params };
  }

  private unknown(words: readonly string[]): MmlError {
    const [verb = '', object] = words;
    const objects = this.next([verb]);
    if (objects.size > 0 && object === undefined) return new MmlError(1003, { command: verb });
    const command = objects.size > 0 ? `${verb} ${object}` : verb;
    const near =
      objects.size > 0
        ? nearest(object!, objects.keys()).map((word) => `${verb} ${word}`)
        : nearest(verb, this.next([]).keys());
    return new MmlError(1002, { command, hint: didYouMean(near, 'HLP') });
  }
}

/** `Did you mean …?`, or where to look instead. */
export function didYouMean(near: readonly string[], lookAt: string): Bilingual {
  return near.length > 0
    ? text(`Did you mean ${near.join(', ')}?`, `是否想输入 ${near.join('、')}？`)
    : text(`See ${lookAt}`, `请查看 ${lookAt}`);
}

function following(paths: ReadonlyMap<string, Command>, words: readonly string[]): Map<string, Command[]> {
  const found = new Map<string, Command[]>();
  for (const [path, command] of paths) {
    const parts = path.split(' ');
    if (parts.length <= words.length || words.some((word, i) => parts[i] !== word)) continue;
    const word = parts[words.length]!;
    found.set(word, [...(found.get(word) ?? []), command]);
  }
  return found;
}
