import { PatternError, type PatternNode, PatternParser } from './pattern-parser.js';

/** Most instructions of a compiled pattern: what `{n,m}` multiplies counts. */
export const MAX_INSTRUCTIONS = 512;
/** Longest text that is matched; a longer one does not match. */
export const MAX_SUBJECT_LENGTH = 128;

/** One step of a compiled pattern. `next` and `other` are places in the program; `next` is tried first. */
type Instruction =
  | { readonly kind: 'characters'; matches(character: string): boolean }
  | { readonly kind: 'split'; readonly next: number; readonly other: number }
  | { readonly kind: 'jump'; readonly next: number }
  | { readonly kind: 'save'; readonly slot: number }
  | { readonly kind: 'match' };

/** A way through the pattern that is still open, with where its groups begin and end. */
interface Thread {
  readonly at: number;
  readonly slots: readonly number[];
}

/**
 * A regular expression over a whole number, matched in bounded time: every way through it is followed at once, character by
 * character, so the work is at most MAX_INSTRUCTIONS for each of MAX_SUBJECT_LENGTH characters. Nothing backtracks, whatever the
 * pattern. Repetitions are greedy. Throws PatternError for a pattern that cannot be used.
 */
export class BoundedPattern {
  private readonly program: Instruction[] = [];

  constructor(source: string) {
    this.compile(new PatternParser(source).parse());
    this.emit({ kind: 'match' });
  }

  /** The groups of a text that matches from end to end, `''` for those that took no part; undefined when it does not. */
  match(text: string): readonly string[] | undefined {
    if (text.length > MAX_SUBJECT_LENGTH) return undefined;
    let threads: Thread[] = [];
    this.follow(threads, new Set(), { at: 0, slots: [] }, 0);
    for (let i = 0; i < text.length && threads.length > 0; i++) {
      const after: Thread[] = [];
      const seen = new Set<number>();
      for (const { at, slots } of threads) {
        const step = this.program[at]!;
        if (step.kind === 'characters' && step.matches(text[i]!))
          this.follow(after, seen, { at: at + 1, slots }, i + 1);
      }
      threads = after;
    }
    const found = threads.find(({ at }) => this.program[at]!.kind === 'match');
    return found && groupsOf(text, found.slots);
  }

  /** Adds what can be reached without reading a character, the preferred way first, each place once. */
  private follow(threads: Thread[], seen: Set<number>, thread: Thread, position: number): void {
    const open = [thread];
    for (let one = open.pop(); one; one = open.pop()) {
      const { at, slots } = one;
      if (seen.has(at)) continue;
      seen.add(at);
      const step = this.program[at]!;
      if (step.kind === 'jump') open.push({ at: step.next, slots });
      else if (step.kind === 'split') open.push({ at: step.other, slots }, { at: step.next, slots });
      else if (step.kind === 'save') open.push({ at: at + 1, slots: withSlot(slots, step.slot, position) });
      else threads.push(one);
    }
  }

  private compile(node: PatternNode): void {
    switch (node.kind) {
      case 'characters':
        this.emit(node);
        return;
      case 'sequence':
        for (const part of node.parts) this.compile(part);
        return;
      case 'group':
        this.emit({ kind: 'save', slot: node.number * 2 });
        this.compile(node.inner);
        this.emit({ kind: 'save', slot: node.number * 2 + 1 });
        return;
      case 'choice':
        this.compileChoice(node.options);
        return;
      case 'repeat':
        this.compileRepeat(node);
    }
  }

  private compileChoice(options: readonly PatternNode[]): void {
    const ends: number[] = [];
    for (const [i, option] of options.entries()) {
      if (i === options.length - 1) {
        this.compile(option);
        continue;
      }
      const split = this.emit({ kind: 'split', next: 0, other: 0 });
      this.compile(option);
      ends.push(this.emit({ kind: 'jump', next: 0 }));
      this.program[split] = { kind: 'split', next: split + 1, other: this.program.length };
    }
    for (const end of ends) this.program[end] = { kind: 'jump', next: this.program.length };
  }

  private compileRepeat({ inner, least, most }: PatternNode & { kind: 'repeat' }): void {
    for (let i = 0; i < least; i++) this.compile(inner);
    if (most === Number.POSITIVE_INFINITY) {
      const split = this.emit({ kind: 'split', next: 0, other: 0 });
      this.compile(inner);
      this.emit({ kind: 'jump', next: split });
      this.program[split] = { kind: 'split', next: split + 1, other: this.program.length };
      return;
    }
    const splits: number[] = [];
    for (let i = least; i < most; i++) {
      splits.push(this.emit({ kind: 'split', next: 0, other: 0 }));
      this.compile(inner);
    }
    for (const split of splits)
      this.program[split] = { kind: 'split', next: split + 1, other: this.program.length };
  }

  private emit(step: Instruction): number {
    if (this.program.length >= MAX_INSTRUCTIONS) throw new PatternError('the pattern is too large');
    return this.program.push(step) - 1;
  }
}

function withSlot(slots: readonly number[], slot: number, position: number): number[] {
  const copy = [...slots];
  copy[slot] = position;
  return copy;
}

function groupsOf(text: string, slots: readonly number[]): string[] {
  const groups: string[] = [];
  for (let i = 2; i < Math.max(slots.length, 2); i += 2) {
    const [from, until] = [slots[i], slots[i + 1]];
    groups.push(from === undefined || until === undefined ? '' : text.slice(from, until));
  }
  return groups;
}
