import { badRequest, type Problem, SipParseError } from './errors.js';
import { canonicalKey, usualKey } from './header-names.js';
import { MAX_HEADER_FIELDS } from './limits.js';
import type { HeaderField, SipMessage } from './message.js';
import { salvageVia } from './salvage.js';
import { parseStartLine } from './start-line.js';
import { isSpaceCode, isToken, trimmed } from './token.js';
import { contentLengthOf, findProblem } from './validate.js';

const CR = 0x0d;
/** Between a name and its colon (HCOLON, RFC 3261 §25.1). */
const TRAILING_SPACE = /(?<![ \t])[ \t]+$/;

const BAD_HEADER_LINE = badRequest('Bad Header Line');
const BARE_CR = badRequest('Bare CR in Header');
const TOO_MANY_FIELDS = badRequest('Too Many Header Fields');
const UNFINISHED = badRequest('Unfinished Header Section');

/** The start line and header fields of a message, as far as they could be read. */
export interface Head {
  readonly message: SipMessage | undefined;
  readonly isResponse: boolean;
  /** Index just after the empty line; the text's length when there is none. */
  readonly bodyAt: number;
  /** Value of Content-Length; undefined when there is none or it is malformed. */
  readonly contentLength: number | undefined;
  /** A line ended in LF alone. */
  readonly hasBareLf: boolean;
  /** The first fault found. */
  readonly problem: Problem | undefined;
}

/** Walks the lines of a header section once, joining folded ones (RFC 3261 §7.3.1). */
class LineReader {
  /** Start and end of the current line, its line break left out. */
  start = 0;
  end = 0;
  hasBareLf = false;
  private nextCr = -1;
  private nextColon = -1;

  constructor(
    readonly text: string,
    /** Start of the next line. */
    public next: number,
  ) {}

  /** Moves to the next line, ended by CRLF or a bare LF; false when no line break is left or a bare CR is met. */
  advance(): boolean {
    const lf = this.text.indexOf('\n', this.next);
    if (lf < 0) return false;
    this.start = this.next;
    this.next = lf + 1;
    this.end = this.text.charCodeAt(lf - 1) === CR && lf > this.start ? lf - 1 : lf;
    if (this.end === lf) this.hasBareLf = true;
    return true;
  }

  /** Index of the first colon at or after the start of the current line; the text's length when there is none. */
  get colon(): number {
    if (this.nextColon < this.start) this.nextColon = this.find(':');
    return this.nextColon;
  }

  private find(char: string): number {
    const at = this.text.indexOf(char, this.start);
    return at < 0 ? this.text.length : at;
  }

  /** Whether a CR that ends no line stands in the current line. Looks at each CR once. */
  get hasBareCr(): boolean {
    if (this.nextCr < this.start) this.nextCr = this.find('\r');
    return this.nextCr < this.end;
  }

  /** Whether the next line continues the current one. */
  get isFolded(): boolean {
    return isSpaceCode(this.text.charCodeAt(this.next));
  }
}

/** The value that starts at `at` in the current line, with its continuation lines; undefined on a bare CR. */
function readValue(lines: LineReader, at: number): string | undefined {
  const first = trimmed(lines.text, at, lines.end);
  if (lines.hasBareCr) return undefined;
  if (!lines.isFolded) return first;
  const parts = [first];
  while (lines.isFolded && lines.advance()) {
    if (lines.hasBareCr) return undefined;
    parts.push(trimmed(lines.text, lines.start, lines.end));
  }
  return parts.filter((part) => part !== '').join(' ');
}

/** Reads the field whose first line is the current one; a problem when it is none (RFC 3261 §7.3.1). */
function readField(lines: LineReader): HeaderField | Problem {
  const { text, start } = lines;
  const { colon } = lines;
  if (colon >= lines.end) return BAD_HEADER_LINE;
  let name = text.substring(start, colon);
  let key = usualKey(name);
  if (key === undefined) {
    name = name.replace(TRAILING_SPACE, '');
    if (!isToken(name)) return BAD_HEADER_LINE;
    key = canonicalKey(name);
  }
  const value = readValue(lines, colon + 1);
  return value === undefined ? BARE_CR : { name, key, value };
}

/** Reads fields into `headers` up to the empty line; gives back what stopped it early. */
function readFields(lines: LineReader, headers: HeaderField[]): Problem | undefined {
  let problem: Problem | undefined;
  while (lines.advance()) {
    if (lines.start === lines.end) return problem;
    if (headers.length === MAX_HEADER_FIELDS) return problem ?? TOO_MANY_FIELDS;
    const field = readField(lines);
    if ('key' in field) headers.push(field);
    else problem ??= field;
  }
  return problem ?? UNFINISHED;
}

/** Reads the header section of a message that starts at `at`: a value for each part, a problem for what is wrong. */
export function parseHead(text: string, at: number): Head {
  const lines = new LineReader(text, at);
  if (!lines.advance()) return { ...NOTHING, bodyAt: text.length };
  const start = parseStartLine(text.substring(lines.start, lines.end));
  const { message, isResponse } = start;
  if (!message) return { ...NOTHING, isResponse, bodyAt: text.length, problem: start.problem };
  const fieldProblem = readFields(lines, message.headers);
  const contentLength = contentLengthOf(message);
  return {
    message,
    isResponse,
    bodyAt: lines.next,
    contentLength: typeof contentLength === 'number' ? contentLength : undefined,
    hasBareLf: lines.hasBareLf,
    problem: start.problem ?? fieldProblem ?? findProblem(message, contentLength),
  };
}

const NOTHING: Head = {
  message: undefined,
  isResponse: false,
  bodyAt: 0,
  contentLength: undefined,
  hasBareLf: false,
  problem: UNFINISHED,
};

/** The error for a head that has a problem, with the partial request where a response can be built from it. */
export function headError(head: Head, problem: Problem): SipParseError {
  const { message, isResponse } = head;
  const request = message?.type === 'request' && salvageVia(message) ? message : undefined;
  return new SipParseError(problem, { request, isResponse });
}
