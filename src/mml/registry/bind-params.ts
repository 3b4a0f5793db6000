import { MmlError } from '../errors.js';
import type { ParamValue, ParsedParam } from '../grammar/command-parser.js';
import { plainValue } from '../grammar/command-parser.js';
import { type Command, type ParamSpec, type ParseEnv, ValueProblem } from './command.js';
import { nearest } from './nearest.js';
import { didYouMean } from './registry.js';

/** Parameters of a command with their values read. */
export interface Bound {
  readonly values: Readonly<Record<string, unknown>>;
  /** `CONFIRM=YES` was given; every command takes it. */
  readonly confirmed: boolean;
}

/** The parameter that confirms a dangerous command in a script. */
export const CONFIRM = 'CONFIRM';

/** Reads and checks parameters against the declaration. Throws MmlError 2xxx or 1007. */
export function bindParams(command: Command, params: readonly ParsedParam[], env: ParseEnv): Bound {
  const given = new Map<string, ParamValue>();
  let confirmed = false;
  let taker: string | undefined;
  for (const param of params) {
    if (param.name === CONFIRM && !command.params[CONFIRM]) {
      confirmed = readConfirm(param.value);
      continue;
    }
    if (param.name === undefined && taker !== undefined) {
      const before = given.get(taker)!;
      given.set(taker, plainValue(`${before.text} ${param.value.text}`));
      continue;
    }
    const name =
      param.name === undefined ? keywordName(command, param.value.text) : knownName(command, param.name);
    if (given.has(name)) throw new MmlError(1007, { name });
    given.set(name, param.value);
    taker = command.params[name]!.type.takesWords ? name : undefined;
  }
  checkPresence(command, given);
  return { values: readValues(command, given, env), confirmed };
}

/** The declared name behind a spelling; undefined when there is none. */
export function canonicalName(command: Command, name: string): string | undefined {
  if (command.params[name]) return name;
  return Object.entries(command.params).find(([, spec]) => spec.aliases?.includes(name))?.[0];
}

/** The parameter that a bare word sets; undefined when there is none. */
export function keywordOwner(command: Command, word: string): string | undefined {
  return Object.entries(command.params).find(
    ([, spec]) => spec.keyword && (spec.type.takesWords || spec.type.values?.includes(word)),
  )?.[0];
}

function knownName(command: Command, name: string): string {
  const known = canonicalName(command, name);
  if (known !== undefined) return known;
  const near = nearest(name, Object.keys(command.params));
  throw new MmlError(2001, { name, hint: didYouMean(near, `HLP: CMD=${command.path}`) });
}

function keywordName(command: Command, word: string): string {
  const owner = keywordOwner(command, word);
  if (owner !== undefined) return owner;
  const named = canonicalName(command, word);
  // The name of a parameter, and no value behind it.
  if (named !== undefined)
    throw new MmlError(2003, { name: named, allowed: command.params[named]!.type.allowed });
  const words = Object.values(command.params).flatMap((spec) =>
    spec.keyword ? (spec.type.values ?? []) : [],
  );
  const near = nearest(word, [...words, ...Object.keys(command.params)]);
  throw new MmlError(2005, { word, hint: didYouMean(near, `HLP: CMD=${command.path}`) });
}

function readConfirm(value: ParamValue): boolean {
  const word = value.text.toUpperCase();
  if (word !== 'YES' && word !== 'NO') {
    throw new MmlError(2003, { name: CONFIRM, allowed: { en: 'YES or NO', zh: ' YES 或 NO' } });
  }
  return word === 'YES';
}

function checkPresence(command: Command, given: ReadonlyMap<string, ParamValue>): void {
  const missing = Object.entries(command.params)
    .filter(([name, spec]) => spec.required && !given.has(name))
    .map(([name]) => name);
  const groups = (command.oneOf ?? []).filter((group) => !group.some((name) => given.has(name)));
  if (missing.length > 0 || groups.length > 0) {
    const names = [...missing, ...groups.map((group) => group.join('|'))].join(', ');
    throw new MmlError(2002, { names, example: command.examples[0] ?? command.path });
  }
  for (const group of command.excludes ?? []) {
    const both = group.filter((name) => given.has(name));
    if (both.length > 1) throw new MmlError(2006, { names: both.join(', ') });
  }
}

function readValues(
  command: Command,
  given: ReadonlyMap<string, ParamValue>,
  env: ParseEnv,
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, spec] of Object.entries(command.params)) {
    const value = given.get(name) ?? (spec.default === undefined ? undefined : plainValue(spec.default));
    if (value !== undefined) values[name] = readValue(name, spec, value, env);
  }
  return values;
}

function readValue(name: string, spec: ParamSpec, value: ParamValue, env: ParseEnv): unknown {
  try {
    return spec.type.parse(value, env);
  } catch (error) {
    if (!(error instanceof ValueProblem)) throw error;
    throw new MmlError(error.kind === 'range' ? 2004 : 2003, { name, allowed: spec.type.allowed });
  }
}
