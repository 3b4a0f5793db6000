import { type Clock, systemClock } from '../platform/clock.js';
import {
  CODE_ACTIONS,
  type CodeAction,
  type CodeTable,
  DEFAULT_CODES,
  isCode,
} from '../routing/feature-codes.js';
import { isZone } from '../routing/time-rules.js';
import { GROUP_STRATEGIES, type HuntGroup, type NumberEntry, type TimeRule } from '../routing/types.js';
import type { Store } from '../store/types.js';
import { CachedCollection } from './cached-collection.js';
import { invalid, NumberingError } from './errors.js';
import type { GroupInput, NumberingService, Page } from './types.js';

/** Key in the `settings` collection; what is not in it is as DEFAULT_CODES has it. */
const CODES_KEY = 'feature-codes';
const NUMBER = /^[A-Za-z0-9._+*#-]{1,64}$/;
const CONTROL = /[\u0000-\u001f\u007f]/;
const MAX_NAME_LENGTH = 128;
/** Most members of a group, rules of a number, groups that pick-up looks through. */
const MAX_MEMBERS = 100;
const MAX_RULES = 50;
const MAX_GROUPS = 1000;
const DEFAULT_MEMBER_SEC = 20;
const [MIN_MEMBER_SEC, MAX_MEMBER_SEC] = [3, 300];
const MINUTES_A_DAY = 1440;

/** Groups, numbers and codes in the Store. */
export class StoredNumbering implements NumberingService {
  private readonly groups: CachedCollection<HuntGroup>;
  private readonly numbers: CachedCollection<NumberEntry>;
  private readonly settings: CachedCollection<Partial<CodeTable>>;

  constructor(options: { readonly store: Store; readonly clock?: Clock }) {
    const { store, clock = systemClock } = options;
    this.groups = new CachedCollection(store.collection('groups'), clock);
    this.numbers = new CachedCollection(store.collection('numbers'), clock);
    this.settings = new CachedCollection(store.collection('settings'), clock);
  }

  group(number: string): Promise<HuntGroup | undefined> {
    return isNumber(number) ? this.groups.get(number) : Promise.resolve(undefined);
  }

  entry(number: string): Promise<NumberEntry | undefined> {
    return isNumber(number) ? this.numbers.get(number) : Promise.resolve(undefined);
  }

  async codes(): Promise<CodeTable> {
    return { ...DEFAULT_CODES, ...(await this.settings.get(CODES_KEY)) };
  }

  async groupsOf(username: string): Promise<HuntGroup[]> {
    const groups = await this.groups.list({ limit: MAX_GROUPS });
    return groups.filter(({ members }) => members.includes(username));
  }

  listGroups(page: Page = {}): Promise<HuntGroup[]> {
    return this.groups.list(page);
  }

  async addGroup(number: string, input: GroupInput): Promise<HuntGroup> {
    checkNumber(number);
    if ((await this.groups.count()) >= MAX_GROUPS) throw invalid(`there are ${MAX_GROUPS} groups already`);
    const base = { number, name: '', members: [], strategy: 'ALL', memberSec: DEFAULT_MEMBER_SEC } as const;
    const group = changeGroup(base, input);
    if (group.members.length === 0) throw invalid('a group needs at least one member');
    if (!(await this.groups.put(number, group, 'create'))) throw exists(number);
    return group;
  }

  async modifyGroup(number: string, input: GroupInput): Promise<HuntGroup> {
    const before = isNumber(number) ? await this.groups.read(number) : undefined;
    if (!before) throw unknown(number);
    const group = changeGroup(before, input);
    if (!(await this.groups.put(number, group, 'update'))) throw unknown(number);
    return group;
  }

  async removeGroup(number: string): Promise<void> {
    if (!isNumber(number) || !(await this.groups.remove(number))) throw unknown(number);
  }

  listNumbers(page: Page = {}): Promise<NumberEntry[]> {
    return this.numbers.list(page);
  }

  async addNumber(number: string, to: string): Promise<NumberEntry> {
    checkNumber(number);
    const entry = { number, ...destinationOf(number, to), rules: [] };
    if (!(await this.numbers.put(number, entry, 'create'))) throw exists(number);
    return entry;
  }

  async modifyNumber(number: string, to: string): Promise<NumberEntry> {
    const { rules } = await this.mustRead(number);
    return this.write({ number, ...destinationOf(number, to), rules });
  }

  async removeNumber(number: string): Promise<void> {
    if (!isNumber(number) || !(await this.numbers.remove(number))) throw unknown(number);
  }

  async addRule(number: string, rule: TimeRule): Promise<NumberEntry> {
    checkNumber(number);
    checkRule(number, rule);
    const before = (await this.numbers.read(number)) ?? { number, rules: [] };
    if (before.rules.length >= MAX_RULES) throw invalid(`a number has at most ${MAX_RULES} rules`);
    return this.write({ ...before, rules: [...before.rules, rule] }, 'any');
  }

  async removeRule(number: string, place: number): Promise<NumberEntry> {
    const before = await this.mustRead(number);
    if (place < 1 || place > before.rules.length) throw unknown(`${number} rule ${place}`);
    return this.write({ ...before, rules: before.rules.filter((_, i) => i !== place - 1) });
  }

  async setCode(action: CodeAction, code: string): Promise<CodeTable> {
    if (!isCode(action, code))
      throw invalid(`a code is * or # with digits, * and #, and N for a number where ${action} needs one`);
    const stored = (await this.settings.read(CODES_KEY)) ?? {};
    const table = { ...DEFAULT_CODES, ...stored, [action]: code };
    const twin = CODE_ACTIONS.find((other) => other !== action && code !== '' && table[other] === code);
    if (twin) throw invalid(`${code} is the code of ${twin} already`);
    await this.settings.put(CODES_KEY, { ...stored, [action]: code });
    return table;
  }

  private async mustRead(number: string): Promise<NumberEntry> {
    const entry = isNumber(number) ? await this.numbers.read(number) : undefined;
    if (!entry) throw unknown(number);
    return entry;
  }

  private async write(entry: NumberEntry, mode: 'update' | 'any' = 'update'): Promise<NumberEntry> {
    const done = await this.numbers.put(
      entry.number,
      entry,
      ...(mode === 'update' ? (['update'] as const) : []),
    );
    if (!done) throw unknown(entry.number);
    return entry;
  }
}

function isNumber(text: string): boolean {
  return NUMBER.test(text);
}

function checkNumber(number: string): void {
  if (!isNumber(number)) throw invalid('a number has 1 to 64 letters, digits or any of . _ + * # -');
}

function changeGroup(before: HuntGroup, input: GroupInput): HuntGroup {
  const { number, overflow: formerOverflow, ...rest } = before;
  const { name = rest.name, members = rest.members, strategy = rest.strategy } = input;
  const { memberSec = rest.memberSec, overflow = formerOverflow ?? '' } = input;
  if (name.length > MAX_NAME_LENGTH || CONTROL.test(name))
    throw invalid(`a name is one line of at most ${MAX_NAME_LENGTH} characters`);
  if (members.length > MAX_MEMBERS) throw invalid(`a group has at most ${MAX_MEMBERS} members`);
  if (new Set(members).size < members.length) throw invalid('a member stands in the list twice');
  for (const member of members) checkNumber(member);
  if (!GROUP_STRATEGIES.includes(strategy))
    throw invalid(`strategy is one of ${GROUP_STRATEGIES.join(', ')}`);
  if (!Number.isInteger(memberSec) || memberSec < MIN_MEMBER_SEC || memberSec > MAX_MEMBER_SEC)
    throw invalid(`a member rings ${MIN_MEMBER_SEC} to ${MAX_MEMBER_SEC} s`);
  if (overflow !== '') checkNumber(overflow);
  if (overflow === number) throw invalid('a group cannot overflow into itself');
  return { number, name, members, strategy, memberSec, ...(overflow !== '' && { overflow }) };
}

function destinationOf(number: string, to: string): Pick<NumberEntry, 'to'> {
  if (to === '') return {};
  checkNumber(to);
  if (to === number) throw invalid('a number cannot lead to itself');
  return { to };
}

function checkRule(number: string, { days, from, until, zone, to }: TimeRule): void {
  const isMinute = (value: number) => Number.isInteger(value) && value >= 0 && value <= MINUTES_A_DAY;
  if (days.length === 0 || days.some((day) => !Number.isInteger(day) || day < 1 || day > 7))
    throw invalid('days are 1 (Monday) to 7 (Sunday)');
  if (!isMinute(from) || !isMinute(until)) throw invalid('hours are 00:00 to 24:00');
  if (!isZone(zone)) throw invalid(`${zone.slice(0, 64)} is no time zone; write one such as Europe/Berlin`);
  checkNumber(to);
  if (to === number) throw invalid('a number cannot lead to itself');
}

function exists(number: string): NumberingError {
  return new NumberingError('NUMBER_EXISTS', `${number} exists`, number);
}

function unknown(number: string): NumberingError {
  return new NumberingError('NUMBER_UNKNOWN', `there is no ${number.slice(0, 64)}`, number.slice(0, 64));
}
