import type { WorkingHours } from '../../accounts/operator-rules.js';
import { type OperatorView, ROLES } from '../../accounts/types.js';
import { MmlError } from '../errors.js';
import {
  type Command,
  type CommandContext,
  defineCommand,
  type ParamSpec,
  type ParamType,
  type ReportSpec,
  type Row,
} from '../registry/command.js';
import { cidrList, hours, oneOf, string, username, weekdays } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

const operatorReport: ReportSpec = {
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
  ],
};

const NAME = {
  type: username,
  purpose: text('Operator', '操作员名'),
  required: true,
  example: 'zhang',
  suggest: async (services: Services) => (await services.operators.list()).map((operator) => operator.name),
} as const satisfies ParamSpec;

const PASSWORD = {
  type: string({ max: 128 }),
  purpose: text('Password', '密码'),
  required: true,
  secret: true,
  example: '"a long passphrase"',
} as const satisfies ParamSpec;

function toRow(operator: OperatorView): Row {
  const { name, role, createdAt, passwordAt, passwordExpired, lockedUntil, addresses, hours } = operator;
  return {
    name,
    role,
    createdAt,
    passwordAt,
    passwordExpired,
    locked: lockedUntil !== undefined,
    addresses: addresses?.join(' ') ?? 'ANY',
    hours: hours ? writeHours(hours) : 'ANY',
  };
}

const DAY_NAMES = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

function writeHours({ days, from, until }: WorkingHours): string {
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
  const named = days ? `${days.map((day) => DAY_NAMES[day - 1]).join('&')} ` : '';
  return `${named}${clock(from)}-${clock(until)}`;
}

/** A value of a type, or ANY, which takes the rule away. */
function orAny<T>(type: ParamType<T>): ParamType<T | null> {
  return {
    name: type.name,
    allowed: text(`${type.allowed.en}, or ANY`, `${type.allowed.zh}，或 ANY`),
    parse: (value, env) => (value.text.toUpperCase() === 'ANY' ? null : type.parse(value, env)),
  };
}

const RULES = {
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
} as const satisfies Record<string, ParamSpec>;

interface Rules {
  readonly ADDRESSES?: readonly string[] | null | undefined;
  readonly HOURS?: { readonly from: number; readonly until: number } | null | undefined;
  readonly DAYS?: readonly number[] | null | undefined;
}

/** Days and hours are one rule; what is not given of it stays as it was. */
function toRules({ ADDRESSES: addresses, HOURS: time, DAYS: days }: Rules, before?: WorkingHours) {
  const rule = time === undefined ? before : (time ?? WHOLE_DAY);
  const kept = days === undefined ? before?.days : (days ?? undefined);
  const isAny = (time === null || rule === undefined || isWholeDay(rule)) && kept === undefined;
  const { from, until } = rule ?? WHOLE_DAY;
  const working = isAny ? null : { from, until, ...(kept && { days: kept }) };
  return {
    ...(addresses !== undefined && { addresses }),
    ...((time !== undefined || days !== undefined) && { hours: working }),
  };
}

const WHOLE_DAY = { from: 0, until: 1440 };
const isWholeDay = ({ from, until }: { from: number; until: number }) => from === 0 && until === 1440;

const listOperators = defineCommand({
  verb: 'LST',
  object: 'OPERATOR',
  purpose: text('List the operators', '查询操作员'),
  params: {},
  role: 'ADMIN',
  reports: [operatorReport],
  examples: ['LST OPERATOR'],
  async handler({ services }) {
    const rows = (await services.operators.list()).map(toRow);
    return { sections: [{ report: operatorReport, rows }] };
  },
});

const addOperator = defineCommand({
  verb: 'ADD',
  object: 'OPERATOR',
  purpose: text('Create an operator', '增加操作员'),
  params: {
    NAME: { type: username, purpose: text('Operator', '操作员名'), required: true, example: 'zhang' },
    PASSWORD,
    ROLE: { type: oneOf(ROLES), purpose: text('What it may do', '角色'), default: 'GUEST' },
    ...RULES,
  },
  role: 'ADMIN',
  reports: [operatorReport],
  examples: [
    'ADD OPERATOR: NAME=zhang, PASSWORD="a long passphrase", ROLE=OPERATOR',
    'ADD OPERATOR: NAME=li, PASSWORD="a long passphrase", ADDRESSES=10.0.0.0/8, HOURS=08:00-18:00, DAYS=MON-FRI',
  ],
  async handler({ services }, { NAME: name, PASSWORD: password, ROLE: role, ...rules }) {
    const operator = await services.operators.add(name, password, role, toRules(rules));
    return { sections: [{ report: operatorReport, rows: [toRow(operator)] }] };
  },
});

const modifyOperator = defineCommand({
  verb: 'MOD',
  object: 'OPERATOR',
  purpose: text(
    'Change the role of an operator, or where and when it may log in; its sessions end',
    '修改操作员的角色、允许的登录地址与时间；其会话将结束',
  ),
  params: { NAME, ROLE: { type: oneOf(ROLES), purpose: text('What it may do', '角色') }, ...RULES },
  role: 'ADMIN',
  reports: [operatorReport],
  examples: [
    'MOD OPERATOR: NAME=zhang, ROLE=GUEST',
    'MOD OPERATOR: NAME=zhang, ADDRESSES=ANY, HOURS=22:00-06:00',
  ],
  async handler(context, { NAME: name, ROLE: role, ...rules }) {
    const { services, session } = context;
    const before = (await services.operators.list()).find((one) => one.name === name);
    const changes = { ...(role !== undefined && { role }), ...toRules(rules, before?.hours) };
    if (Object.keys(changes).length === 0)
      throw new MmlError(2007, { names: 'ROLE, ADDRESSES, HOURS, DAYS' });
    const operator = await services.operators.modify(name, changes);
    const ended = endedNote(endSessions(context, name, session.id));
    return { sections: [{ report: operatorReport, rows: [toRow(operator)] }], ...ended };
  },
});

const unlockOperator = defineCommand({
  verb: 'UNL',
  object: 'OPERATOR',
  purpose: text('Unlock an operator that wrong passwords have locked', '解锁因密码错误被锁定的操作员'),
  params: { NAME },
  role: 'ADMIN',
  examples: ['UNL OPERATOR: NAME=zhang'],
  async handler({ services }, { NAME: name }) {
    const wasLocked = await services.operators.unlock(name);
    return wasLocked ? {} : { note: text('It was not locked', '该操作员未被锁定') };
  },
});

const removeOperator = defineCommand({
  verb: 'RMV',
  object: 'OPERATOR',
  purpose: text('Remove an operator and end its sessions', '删除操作员并结束其会话'),
  params: { NAME },
  role: 'ADMIN',
  dangerous: text('The operator can log in no more.', '该操作员将无法再登录。'),
  examples: ['RMV OPERATOR: NAME=zhang', 'RMV OPERATOR: NAME=zhang, CONFIRM=YES'],
  async handler(context, { NAME: name }) {
    if (name === context.session.operator) {
      throw new MmlError(3007, { reason: text('this is your own name', '不能删除自己') });
    }
    await context.services.operators.remove(name);
    return endedNote(endSessions(context, name));
  },
});

const setPassword = defineCommand({
  verb: 'SET',
  object: 'PASSWORD',
  aliases: ['MOD PASSWORD'],
  purpose: text(
    'Change a password: your own with OLD, as ADMIN any other with NAME',
    '修改密码：修改自己的需 OLD，ADMIN 可用 NAME 修改他人的',
  ),
  params: {
    NAME: {
      ...NAME,
      required: false,
      purpose: text('Operator; yourself when absent', '操作员名；缺省为自己'),
    },
    PASSWORD: { ...PASSWORD, purpose: text('New password', '新密码') },
    OLD: { ...PASSWORD, required: false, purpose: text('Present password', '当前密码') },
  },
  role: 'GUEST',
  examples: [
    'SET PASSWORD: OLD="the present one", PASSWORD="the next one"',
    'SET PASSWORD: NAME=zhang, PASSWORD="the next one"',
  ],
  async handler(context, { NAME: name = context.session.operator, PASSWORD: password, OLD: old }) {
    const { services, session } = context;
    await checkMayChange(context, name, old);
    await services.operators.setPassword(name, password);
    if (name === session.operator) session.mustChangePassword = false;
    return endedNote(endSessions(context, name, session.id));
  },
});

/** One's own password needs the present one; those of others need ADMIN. The owner of the machine needs neither. */
async function checkMayChange(context: CommandContext, name: string, old: string | undefined): Promise<void> {
  const { session } = context;
  if (session.transport === 'local') return;
  if (name !== session.operator) {
    if (session.role !== 'ADMIN') throw new MmlError(3002, { needed: 'ADMIN', role: session.role });
    return;
  }
  if (old === undefined) {
    throw new MmlError(2002, { names: 'OLD', example: setPassword.examples[0]! });
  }
  // A stolen session must not be a way to try passwords quickly.
  if (!(await context.console.verifyPassword(name, old, session.address))) {
    throw new MmlError(3007, { reason: text('the present password is wrong', '当前密码错误') });
  }
}

function endSessions({ console }: CommandContext, name: string, except?: number): number {
  const others = console.sessions().filter((one) => one.operator === name && one.id !== except);
  for (const one of others) console.endSession(one.id);
  return others.length;
}

const endedNote = (count: number) =>
  count === 0 ? {} : { note: text(`Sessions ended: ${count}`, `已结束会话：${count} 个`) };

/** Operators of the console: LST, ADD, MOD, UNL, RMV OPERATOR, SET PASSWORD. */
export const operatorCommands: readonly Command[] = [
  listOperators,
  addOperator,
  modifyOperator,
  unlockOperator,
  removeOperator,
  setPassword,
];
