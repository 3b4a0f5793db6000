import type { WorkingHours } from '../../accounts/operator-rules.js';
import type { OperatorChanges, OperatorView } from '../../accounts/types.js';
import type { ParamSpec, ParamType, ReportSpec, Row } from '../registry/command.js';
import { cidrList, hours, string, textList, username, weekdays } from '../registry/param-types.js';
import { clockTime, writeDays } from '../report/hours.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

export const operatorReport: ReportSpec = {
  name: 'operators',
  title: text('Operator', '操作员'),
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'role', title: text('Role', '角色') },
    { key: 'createdAt', title: text('Created', '创建时间'), format: 'time' },
    { key: 'passwordAt', title: text('Password set', '密码设置时间'), format: 'time' },
    { key: 'passwordExpired', title: text('Password too old', '密码过期'), format: 'yesno' },
    { key: 'locked', title: text('Locked', '已锁定'), format: 'yesno' },
    { key: 'addresses', title: text('Logs in from', '允许地址') },
    { key: 'hours', title: text('Working hours', '工作时间') },
    { key: 'groups', title: text('Command groups', '命令组') },
  ],
};

export const NAME = {
  type: username,
  purpose: text('Operator', '操作员名'),
  required: true,
  example: 'zhang',
  suggest: async (services: Services) => (await services.operators.list()).map((operator) => operator.name),
} as const satisfies ParamSpec;

export const PASSWORD = {
  type: string({ max: 128 }),
  purpose: text('Password', '密码'),
  required: true,
  secret: true,
  example: '"a long passphrase"',
} as const satisfies ParamSpec;

/** An operator as a row of a report. */
export function toRow(operator: OperatorView): Row {
  const { name, role, createdAt, passwordAt, passwordExpired, lockedUntil, addresses, hours, groups } =
    operator;
  return {
    name,
    role,
    createdAt,
    passwordAt,
    passwordExpired,
    locked: lockedUntil !== undefined,
    addresses: addresses?.join(' ') ?? 'ANY',
    hours: hours ? writeHours(hours) : 'ANY',
    groups: groups?.join(' ') ?? 'NONE',
  };
}

function writeHours({ days, from, until }: WorkingHours): string {
  const named = days ? `${writeDays(days)} ` : '';
  return `${named}${clockTime(from)}-${clockTime(until)}`;
}

/** Names of command groups; NONE takes them all away. */
const groupNames: ParamType<readonly string[]> = {
  name: text('command groups', '命令组列表'),
  allowed: text(
    'names of command groups such as night&trunks, or NONE',
    '命令组名称，例如 night&trunks，或 NONE',
  ),
  values: ['NONE'],
  parse: (value, env) => (value.text.toUpperCase() === 'NONE' ? [] : textList(20).parse(value, env)),
};

/** A value of a type, or ANY, which takes the rule away. */
function orAny<T>(type: ParamType<T>): ParamType<T | null> {
  return {
    name: type.name,
    allowed: text(`${type.allowed.en}, or ANY`, `${type.allowed.zh}，或 ANY`),
    parse: (value, env) => (value.text.toUpperCase() === 'ANY' ? null : type.parse(value, env)),
  };
}

export const RULES = {
  ADDRESSES: {
    type: orAny(cidrList(20)),
    purpose: text('Addresses and networks that it may log in from', '允许登录的地址或网段'),
    example: '192.0.2.0/24&2001:db8::/32',
  },
  HOURS: {
    type: orAny(hours),
    purpose: text(
      'Working hours, in the time zone of the server: when it may log in',
      '工作时间（服务器时区）：允许登录的时段',
    ),
    example: '08:00-18:00',
  },
  DAYS: {
    type: orAny(weekdays),
    purpose: text('Working days', '工作日'),
    example: 'MON-FRI',
  },
  GROUPS: {
    type: groupNames,
    purpose: text('Command groups that it has besides its role', '角色之外拥有的命令组'),
    example: 'night-shift',
    suggest: async (services: Services) => (await services.commandGroups.list()).map(({ name }) => name),
  },
} as const satisfies Record<string, ParamSpec>;

interface Rules {
  readonly ADDRESSES?: readonly string[] | null | undefined;
  readonly HOURS?: { readonly from: number; readonly until: number } | null | undefined;
  readonly DAYS?: readonly number[] | null | undefined;
  readonly GROUPS?: readonly string[] | undefined;
}

/** What is changed of an operator. Days and hours are one rule; what is not given of it stays as it was. */
export function toRules(
  { ADDRESSES: addresses, HOURS: time, DAYS: days, GROUPS: groups }: Rules,
  before?: WorkingHours,
): Omit<OperatorChanges, 'role'> {
  const rule = time === undefined ? before : (time ?? WHOLE_DAY);
  const kept = days === undefined ? before?.days : (days ?? undefined);
  const isAny = (time === null || rule === undefined || isWholeDay(rule)) && kept === undefined;
  const { from, until } = rule ?? WHOLE_DAY;
  const working = isAny ? null : { from, until, ...(kept && { days: kept }) };
  return {
    ...(addresses !== undefined && { addresses }),
    ...((time !== undefined || days !== undefined) && { hours: working }),
    ...(groups !== undefined && { groups }),
  };
}

const WHOLE_DAY = { from: 0, until: 1440 };
const isWholeDay = ({ from, until }: { from: number; until: number }) => from === 0 && until === 1440;
