import type { Role } from '../../accounts/types.js';
import type { Clock } from '../../platform/clock.js';
import type { ParamValue, ParsedParam } from '../grammar/command-parser.js';
import type { Words } from '../report/words.js';
import type { Services } from '../services.js';
import type { ConsoleControl, SessionState } from '../session/session-state.js';
import type { Bilingual } from '../text.js';
import type { LiveReport } from './live-report.js';

/** What a type may need to know to read a value. */
export interface ParseEnv {
  /** Wall milliseconds: TODAY is relative. */
  readonly now: number;
}

/** How the values of a parameter look and are read. */
export interface ParamType<T> {
  /** Short name for help, e.g. `number`. */
  readonly name: Bilingual;
  /** What is allowed, in words: `1..1000`. */
  readonly allowed: Bilingual;
  /** Words that completion offers; also the bare keywords of a `keyword` parameter. */
  readonly values?: readonly string[];
  /** Takes the bare words after it as part of the value (`CMD=ADD USER`). */
  readonly takesWords?: boolean;
  /** Reads a value; throws ValueProblem. */
  parse(value: ParamValue, env: ParseEnv): T;
}

/** Why a type does not take a value. */
export class ValueProblem extends Error {
  constructor(readonly kind: 'invalid' | 'range') {
    super(kind);
  }
}

/** One parameter of a command. Its name is its key in the declaration, upper case. */
export interface ParamSpec<T = unknown> {
  readonly type: ParamType<T>;
  readonly purpose: Bilingual;
  readonly required?: boolean;
  /** Never echoed, logged or kept in the history. */
  readonly secret?: boolean;
  /** Whether it is a secret with these parameters; they need not be right. */
  readonly secretWith?: (params: readonly ParsedParam[]) => boolean;
  /** Its value is commands: masked as a whole where one of them may hold a secret. */
  readonly holdsCommands?: boolean;
  /** As an operator would write it; shown in help, read by the type. */
  readonly default?: string;
  readonly example?: string;
  /** A bare word out of the type's `values` sets it: `DSP CDR TODAY`. */
  readonly keyword?: boolean;
  /** Old spellings of its name. */
  readonly aliases?: readonly string[];
  /** Live identifiers for completion, at most some twenty. */
  readonly suggest?: (services: Services, prefix: string) => Promise<readonly string[]>;
}

/** Whether what a parameter holds is never to be shown. */
export function isSecret(spec: ParamSpec, params: readonly ParsedParam[]): boolean {
  return spec.secret === true || spec.secretWith?.(params) === true;
}

export type ParamSpecs = Readonly<Record<string, ParamSpec>>;

type ValueOf<S extends ParamSpec> =
  S['type'] extends ParamType<infer T>
    ? S extends { readonly required: true } | { readonly default: string }
      ? T
      : T | undefined
    : never;

/** Values that a handler gets, typed by the declaration. */
export type Values<P extends ParamSpecs> = { readonly [K in keyof P]: ValueOf<P[K]> };

/** How a column prints its cells. JSON gets the raw value, times as ISO 8601. */
export type CellFormat =
  | 'plain'
  | 'time'
  | 'date'
  | 'seconds'
  | 'milliseconds'
  | 'bytes'
  | 'percent'
  /** A share, 0..1, as a bar. */
  | 'bar'
  | 'yesno';

/** A bilingual one prints in the language of the session; JSON has the English. */
export type CellValue = string | number | boolean | Bilingual | undefined;
export type Row = Readonly<Record<string, CellValue>>;

export interface Column {
  /** Key in rows and in JSON. */
  readonly key: string;
  readonly title: Bilingual;
  readonly format?: CellFormat;
  /** What words of the server read in text reports; a word that is not among them, and JSON, stays as it is. */
  readonly words?: Words;
  /** Columns that a bar takes, brackets and percentage beside; 10..60, default 20. */
  readonly width?: number;
}

/** A part of a report as declared: its title and columns. */
export interface ReportSpec {
  /** Name in JSON. */
  readonly name: string;
  readonly title: Bilingual;
  readonly columns: readonly Column[];
  /** `table` prints even a single row as a table; `auto` prints it as `name = value` lines. */
  readonly layout?: 'auto' | 'table';
}

/** A bilingual one prints in the language of the session; JSON has the English. */
export type Line = string | Bilingual;

/** A part of a report as filled. */
export type Section =
  | { readonly report: ReportSpec; readonly rows: readonly Row[]; readonly note?: Bilingual }
  /** Free lines: help, ladders. */
  | { readonly name: string; readonly title: Bilingual; readonly lines: readonly Line[] };

export interface CommandResult {
  readonly sections?: readonly Section[];
  /** Said after `Operation succeeded`. */
  readonly note?: Bilingual;
  /** The session ends after the report. */
  readonly endSession?: boolean;
  /** The report goes on until somebody ends it; the time limit does not apply then, and `sections` are its parts'. */
  readonly live?: LiveReport;
  /** Given to the next run of a command that is watched. */
  readonly keep?: unknown;
}

/** All that a handler may reach. */
export interface CommandContext {
  readonly services: Services;
  readonly console: ConsoleControl;
  readonly session: SessionState;
  readonly clock: Clock;
  /** Aborted by Ctrl-C, the time limit or the end of the session. */
  readonly signal: AbortSignal;
  /** What the run before kept, when the command is watched and this is not the first. */
  readonly kept?: unknown;
}

export interface CommandSpec<P extends ParamSpecs> {
  readonly verb: string;
  /** Empty for commands that are a verb alone: HLP, LGO. */
  readonly object: string;
  /** A third word that makes it a command of its own: `DSP CALL STAT`. */
  readonly variant?: string;
  /** Other full spellings: `ADD USR`. */
  readonly aliases?: readonly string[];
  readonly purpose: Bilingual;
  readonly params: P;
  /** Groups of which at least one parameter must be given. */
  readonly oneOf?: readonly (readonly (keyof P & string)[])[];
  /** Pairs that exclude each other. */
  readonly excludes?: readonly (readonly (keyof P & string)[])[];
  /** Lowest role; from the verb when absent: LST, DSP, HLP for GUEST, dangerous for ADMIN, others for OPERATOR. */
  readonly role?: Role;
  /** What it will do, asked before it runs. Absent: not dangerous. */
  readonly dangerous?: Bilingual;
  /** Given up after this long, milliseconds; default COMMAND_TIMEOUT_MS. */
  readonly timeoutMs?: number;
  readonly reports?: readonly ReportSpec[];
  /** Whole commands that work. */
  readonly examples: readonly string[];
  handler(context: CommandContext, values: Values<P>): Promise<CommandResult> | CommandResult;
}

/** A declaration with the types of its values forgotten, as the registry keeps it. */
export interface Command extends Omit<CommandSpec<ParamSpecs>, 'handler' | 'role' | 'oneOf' | 'excludes'> {
  /** `DSP CALL STAT`. */
  readonly path: string;
  readonly role: Role;
  readonly oneOf?: readonly (readonly string[])[];
  readonly excludes?: readonly (readonly string[])[];
  handler(
    context: CommandContext,
    values: Readonly<Record<string, unknown>>,
  ): Promise<CommandResult> | CommandResult;
}

const READING_VERBS = new Set(['LST', 'DSP', 'HLP', 'LGO']);

/** Turns a declaration into a command of the registry. */
export function defineCommand<const P extends ParamSpecs>(spec: CommandSpec<P>): Command {
  const path = [spec.verb, spec.object, spec.variant].filter(Boolean).join(' ');
  const byVerb = READING_VERBS.has(spec.verb) ? 'GUEST' : spec.dangerous ? 'ADMIN' : 'OPERATOR';
  // The values are typed by the same declaration that binds them, so the wider signature is safe.
  return { ...spec, path, role: spec.role ?? byVerb } as unknown as Command;
}
