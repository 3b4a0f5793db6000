/** What is wrong with a pattern; the message is for the operator who wrote it. */
export class PatternError extends Error {}

/** Longest pattern, in characters. */
export const MAX_PATTERN_LENGTH = 128;
/** Most times that `{n,m}` repeats, and most groups. */
const MAX_REPEAT = 64;
const MAX_GROUPS = 9;

/** A parsed pattern. */
export type PatternNode =
  | { readonly kind: 'characters'; matches(character: string): boolean }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly options: readonly PatternNode[] }
  | { readonly kind: 'group'; readonly number: number; readonly inner: PatternNode }
  /** `most` is Infinity without an upper bound. */
  | { readonly kind: 'repeat'; readonly inner: PatternNode; readonly least: number; readonly most: number };

/** Characters that stand for themselves; every other one needs a backslash. */
const LITERAL = /[A-Za-z0-9#@_:;,!%&=~/ -]/;

/**
 * Reads a pattern: literals, `\d`, `.`, `[0-9]`, `[^1]`, groups in round brackets, `|`, and `?`, `*`, `+`, `{n}`, `{n,m}`
 * after any of them. `+` and `*` of a telephone number are written `\+` and `\*`. No back references, no looking ahead.
 * Throws PatternError.
 */
export class PatternParser {
  private at = 0;
  private groups = 0;

  constructor(private readonly text: string) {
    if (text.length > MAX_PATTERN_LENGTH)
      throw new PatternError(`a pattern has at most ${MAX_PATTERN_LENGTH} characters`);
  }

  parse(): PatternNode {
    // A pattern always stands for the whole number, so anchors at its ends change nothing.
    if (this.peek() === '^') this.at++;
    const node = this.choice();
    if (this.peek() === '$' && this.at === this.text.length - 1) this.at++;
    if (this.at < this.text.length) throw this.fault(`'${this.peek()}' is not expected`);
    return node;
  }

  private choice(): PatternNode {
    const options = [this.sequence()];
    while (this.peek() === '|') {
      this.at++;
      options.push(this.sequence());
    }
    return options.length === 1 ? options[0]! : { kind: 'choice', options };
  }

  private sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (;;) {
      const next = this.peek();
      const isEnd = next === '$' && this.at === this.text.length - 1;
      if (next === '' || next === '|' || next === ')' || isEnd) return { kind: 'sequence', parts };
      parts.push(this.repeated(this.atom()));
    }
  }

  private repeated(inner: PatternNode): PatternNode {
    const bounds = this.bounds();
    if (!bounds) return inner;
    if (this.bounds()) throw this.fault('a repetition cannot be repeated; put it into brackets');
    const [least, most] = bounds;
    return { kind: 'repeat', inner, least, most };
  }

  private bounds(): [number, number] | undefined {
    const next = this.peek();
    if (next === '?' || next === '*' || next === '+') {
      this.at++;
      return next === '?' ? [0, 1] : [next === '+' ? 1 : 0, Number.POSITIVE_INFINITY];
    }
    if (next !== '{') return undefined;
    const match = /^\{(\d{1,3})(?:(,)(\d{0,3}))?\}/.exec(this.text.slice(this.at));
    if (!match) throw this.fault('a repetition is {n}, {n,} or {n,m}');
    this.at += match[0].length;
    const least = Number(match[1]);
    const most = match[2] ? (match[3] ? Number(match[3]) : Number.POSITIVE_INFINITY) : least;
    if (least > MAX_REPEAT || (Number.isFinite(most) && most > MAX_REPEAT) || most < least)
      throw this.fault(`a repetition is at most ${MAX_REPEAT} times, the smaller number first`);
    return [least, most];
  }

  private atom(): PatternNode {
    const next = this.take();
    if (next === '(') return this.group();
    if (next === '[') return this.characterClass();
    if (next === '.') return { kind: 'characters', matches: () => true };
    if (next === '\\') return this.escape();
    if (!LITERAL.test(next)) throw this.fault(`'${next}' needs a backslash in front`);
    return literal(next);
  }

  private group(): PatternNode {
    if (this.peek() === '?') throw this.fault('groups beginning with ? are not known');
    if (this.groups >= MAX_GROUPS) throw this.fault(`at most ${MAX_GROUPS} groups`);
    const number = ++this.groups;
    const inner = this.choice();
    if (this.take() !== ')') throw this.fault('a bracket is not closed');
    return { kind: 'group', number, inner };
  }

  private escape(): PatternNode {
    const next = this.take();
    if (next === 'd') return { kind: 'characters', matches: isDigit };
    if (next === '' || /[A-Za-z0-9]/.test(next)) throw this.fault(`\\${next} is not known`);
    return literal(next);
  }

  private characterClass(): PatternNode {
    const isNegated = this.peek() === '^';
    if (isNegated) this.at++;
    const tests: ((character: string) => boolean)[] = [];
    for (;;) {
      const first = this.take();
      if (first === '') throw this.fault('a [ is not closed');
      if (first === ']' && tests.length > 0) break;
      if (first === ']') throw this.fault('[] holds nothing');
      tests.push(this.classMember(first));
    }
    return {
      kind: 'characters',
      matches: (character) => tests.some((test) => test(character)) !== isNegated,
    };
  }

  private classMember(first: string): (character: string) => boolean {
    const low = first === '\\' ? this.take() : first;
    if (first === '\\' && low === 'd') return isDigit;
    if (this.peek() !== '-' || this.text[this.at + 1] === ']') return (character) => character === low;
    this.at++;
    const high = this.take();
    if (high === '' || high < low) throw this.fault('a range in [] runs from the lower to the higher');
    return (character) => character >= low && character <= high;
  }

  private peek(): string {
    return this.text[this.at] ?? '';
  }

  private take(): string {
    return this.text[this.at++] ?? '';
  }

  private fault(why: string): PatternError {
    return new PatternError(`pattern, character ${Math.min(this.at, this.text.length)}: ${why}`);
  }
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9';
}

function literal(wanted: string): PatternNode {
  return { kind: 'characters', matches: (character) => character === wanted };
}
