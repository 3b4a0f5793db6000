import { ROLES } from '../../accounts/types.js';
import { MmlError } from '../errors.js';
import { type Command, type CommandContext, defineCommand } from '../registry/command.js';
import { oneOf, username } from '../registry/param-types.js';
import { text } from '../text.js';
import { NAME, operatorReport, PASSWORD, RULES, toRow, toRules } from './operator-params.js';

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

/** The name of sessions and tasks of the owner of the machine, who is no operator. */
const LOCAL = 'local';

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
    if (name === LOCAL) {
      const reason = text(
        'it stands for the owner of the machine, ims mml',
        '该名称表示本机所有者（ims mml）',
      );
      throw new MmlError(2009, { reason });
    }
    const operator = await services.operators.add(name, password, role, toRules(rules));
    return { sections: [{ report: operatorReport, rows: [toRow(operator)] }] };
  },
});

const modifyOperator = defineCommand({
  verb: 'MOD',
  object: 'OPERATOR',
  purpose: text(
    'Change the role and command groups of an operator, or where and when it may log in; its sessions end',
    '修改操作员的角色、命令组、允许的登录地址与时间；其会话将结束',
  ),
  params: { NAME, ROLE: { type: oneOf(ROLES), purpose: text('What it may do', '角色') }, ...RULES },
  role: 'ADMIN',
  reports: [operatorReport],
  examples: [
    'MOD OPERATOR: NAME=zhang, ROLE=GUEST',
    'MOD OPERATOR: NAME=zhang, ADDRESSES=ANY, HOURS=22:00-06:00',
    'MOD OPERATOR: NAME=zhang, GROUPS=night-shift',
  ],
  async handler(context, { NAME: name, ROLE: role, ...rules }) {
    const { services, session } = context;
    const before = (await services.operators.list()).find((one) => one.name === name);
    const changes = { ...(role !== undefined && { role }), ...toRules(rules, before?.hours) };
    if (Object.keys(changes).length === 0)
      throw new MmlError(2007, { names: 'ROLE, ADDRESSES, HOURS, DAYS, GROUPS' });
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
    if (name === context.session.operator && context.session.transport !== 'local') {
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
  async handler(context, { NAME: given, PASSWORD: password, OLD: old }) {
    const { services, session } = context;
    if (given === undefined && session.transport === 'local') throw new MmlError(3007, { reason: NOBODYS });
    const name = given ?? session.operator;
    await checkMayChange(context, name, old);
    await services.operators.setPassword(name, password);
    if (name === session.operator) session.mustChangePassword = false;
    return endedNote(endSessions(context, name, session.id));
  },
});

const NOBODYS = text(
  'ims mml is no operator and has no password; say whose it is, for example SET PASSWORD: NAME=admin, PASSWORD="the next one"',
  'ims mml 不是操作员，没有密码；请用 NAME 指明操作员，例如 SET PASSWORD: NAME=admin, PASSWORD="the next one"',
);

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
  const others = console
    .sessions()
    .filter((one) => one.operator === name && one.transport !== 'local' && one.id !== except);
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
