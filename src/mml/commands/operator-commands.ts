import { type OperatorView, ROLES } from '../../accounts/types.js';
import { MmlError } from '../errors.js';
import {
  type Command,
  type CommandContext,
  defineCommand,
  type ParamSpec,
  type ReportSpec,
} from '../registry/command.js';
import { oneOf, string, username } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

const operatorReport: ReportSpec = {
  name: 'operators',
  title: text('Operator', '操作员'),
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'role', title: text('Role', '角色') },
    { key: 'createdAt', title: text('Created', '创建时间'), format: 'time' },
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

const toRow = ({ name, role, createdAt }: OperatorView) => ({ name, role, createdAt });

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
  },
  role: 'ADMIN',
  reports: [operatorReport],
  examples: ['ADD OPERATOR: NAME=zhang, PASSWORD="a long passphrase", ROLE=OPERATOR'],
  async handler({ services }, { NAME: name, PASSWORD: password, ROLE: role }) {
    const operator = await services.operators.add(name, password, role);
    return { sections: [{ report: operatorReport, rows: [toRow(operator)] }] };
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

/** Operators of the console: LST, ADD, RMV OPERATOR, SET PASSWORD. */
export const operatorCommands: readonly Command[] = [listOperators, addOperator, removeOperator, setPassword];
