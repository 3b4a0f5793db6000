import type { CommandGroup } from '../../accounts/types.js';
import { MmlError } from '../errors.js';
import {
  type Command,
  type CommandContext,
  defineCommand,
  type ParamSpec,
  type ParamType,
  type ReportSpec,
  type Row,
  ValueProblem,
} from '../registry/command.js';
import { nearest } from '../registry/nearest.js';
import { username } from '../registry/param-types.js';
import { didYouMean, type Registry } from '../registry/registry.js';
import { isGrantable, matchesPattern } from '../registry/roles.js';
import type { Services } from '../services.js';
import { type Bilingual, text } from '../text.js';
import { NOTE } from './note-param.js';

const MAX_PATTERNS = 100;

/** Whole commands and patterns of them, upper case: `"ADD USER"&"* TRUNK"&RST`. */
const patterns: ParamType<readonly string[]> = {
  name: text('commands', '命令列表'),
  allowed: text(
    `commands such as "ADD USER"&"* TRUNK", * for any word, at most ${MAX_PATTERNS}`,
    `命令列表，例如 "ADD USER"&"* TRUNK"，* 代表任意词，最多 ${MAX_PATTERNS} 个`,
  ),
  parse(value) {
    if (value.parts.length > MAX_PATTERNS) throw new ValueProblem('range');
    return value.parts.map((part) => {
      const pattern = part.trim().toUpperCase().replace(/\s+/g, ' ');
      if (!/^(?:[A-Z]+|\*)(?: (?:[A-Z]+|\*)){0,2}$/.test(pattern)) throw new ValueProblem('invalid');
      return pattern;
    });
  },
};

const NAME = {
  type: username,
  purpose: text('Command group', '命令组'),
  example: 'night-shift',
  suggest: async (services: Services) => (await services.commandGroups.list()).map(({ name }) => name),
} as const satisfies ParamSpec;

const COMMANDS = {
  type: patterns,
  purpose: text(
    'Commands that its operators may run besides those of their role',
    '组内操作员在角色之外可执行的命令',
  ),
  example: '"ADD USER"&"* TRUNK"',
} as const satisfies ParamSpec;

const groupReport: ReportSpec = {
  name: 'commandGroups',
  title: text('Command group', '命令组'),
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'note', title: text('For', '说明') },
    { key: 'operators', title: text('Operators', '操作员') },
    { key: 'commands', title: text('Commands', '命令') },
  ],
};

const givenReport: ReportSpec = {
  name: 'commands',
  title: text('Commands that it gives', '所含命令'),
  layout: 'table',
  columns: [
    { key: 'path', title: text('Command', '命令') },
    { key: 'role', title: text('Else needs', '原需角色') },
  ],
};

async function holders({ operators }: Services, name: string): Promise<string[]> {
  return (await operators.list()).filter(({ groups }) => groups?.includes(name)).map((one) => one.name);
}

async function toRow(services: Services, { name, note, commands }: CommandGroup): Promise<Row> {
  const operators = await holders(services, name);
  return { name, note, operators: operators.join(' '), commands: commands.join(', ') };
}

async function shown({ services, console }: CommandContext, group: CommandGroup, note?: Bilingual) {
  const { registry } = console;
  const given = registry.commands.filter(
    (command) => isGrantable(command) && group.commands.some((pattern) => matchesPattern(pattern, command)),
  );
  return {
    sections: [
      { report: groupReport, rows: [await toRow(services, group)] },
      { report: givenReport, rows: given.map(({ path, role }) => ({ path, role })) },
    ],
    ...(note && { note }),
  };
}

/** Each pattern names a command that a group can give; other spellings become the command's own. */
function known(registry: Registry, wanted: readonly string[]): string[] {
  return wanted.map((pattern) => {
    const exact = registry.find(pattern);
    const own = exact && !matchesPattern(pattern, exact) ? exact.path : pattern;
    const named = registry.commands.filter((command) => matchesPattern(own, command));
    if (named.length === 0) {
      const hint = didYouMean(nearest(pattern, registry.paths()), 'HLP');
      throw new MmlError(1002, { command: pattern, hint });
    }
    if (!named.some(isGrantable)) {
      const reason = text(
        `commands on operators and command groups are for ADMIN alone (${pattern})`,
        `操作员与命令组的命令只属于 ADMIN（${pattern}）`,
      );
      throw new MmlError(3007, { reason });
    }
    return own;
  });
}

const listGroups = defineCommand({
  verb: 'LST',
  object: 'CMDGROUP',
  purpose: text(
    'List the command groups; one with every command that it gives',
    '查询命令组；带 NAME 时列出所含全部命令',
  ),
  params: { NAME },
  role: 'ADMIN',
  reports: [groupReport, givenReport],
  examples: ['LST CMDGROUP', 'LST CMDGROUP: NAME=night-shift'],
  async handler(context, { NAME: name }) {
    const { services } = context;
    if (name === undefined) {
      const groups = await services.commandGroups.list();
      const rows = await Promise.all(groups.map((group) => toRow(services, group)));
      return { sections: [{ report: groupReport, rows }] };
    }
    const group = await services.commandGroups.get(name);
    if (!group) {
      const hint = text('See LST CMDGROUP', '请查看 LST CMDGROUP');
      throw new MmlError(4001, { what: text('command group', '命令组'), name, hint });
    }
    return shown(context, group);
  },
});

const addGroup = defineCommand({
  verb: 'ADD',
  object: 'CMDGROUP',
  purpose: text(
    'Create a command group: commands that an operator may run besides those of its role',
    '增加命令组：操作员在其角色之外可执行的命令',
  ),
  params: { NAME: { ...NAME, required: true }, COMMANDS: { ...COMMANDS, required: true }, NOTE },
  role: 'ADMIN',
  reports: [groupReport, givenReport],
  examples: [
    'ADD CMDGROUP: NAME=night-shift, COMMANDS="RMV CALL"&"RST SERVICE"&"* TRACE", NOTE="those who watch at night"',
  ],
  async handler(context, { NAME: name, COMMANDS: wanted, NOTE: note }) {
    const commands = known(context.console.registry, wanted);
    return shown(context, await context.services.commandGroups.add(name, commands, note));
  },
});

const modifyGroup = defineCommand({
  verb: 'MOD',
  object: 'CMDGROUP',
  purpose: text(
    'Change a command group; open sessions of its operators have the change at once',
    '修改命令组；组内操作员的会话立即生效',
  ),
  params: { NAME: { ...NAME, required: true }, COMMANDS, NOTE },
  oneOf: [['COMMANDS', 'NOTE']],
  role: 'ADMIN',
  reports: [groupReport, givenReport],
  examples: ['MOD CMDGROUP: NAME=night-shift, COMMANDS="RMV CALL"&"* TRACE"'],
  async handler(context, { NAME: name, COMMANDS: wanted, NOTE: note }) {
    const { services, console } = context;
    const commands = wanted && known(console.registry, wanted);
    const group = await services.commandGroups.modify(name, { commands, note });
    const members = new Set(await holders(services, name));
    for (const session of console.sessions()) {
      if (session.transport === 'local' || !members.has(session.operator)) continue;
      session.grants = (await services.operators.present(session.operator))?.grants ?? [];
    }
    return shown(context, group);
  },
});

const removeGroup = defineCommand({
  verb: 'RMV',
  object: 'CMDGROUP',
  purpose: text('Remove a command group that no operator has', '删除没有操作员使用的命令组'),
  params: { NAME: { ...NAME, required: true } },
  role: 'ADMIN',
  examples: ['RMV CMDGROUP: NAME=night-shift'],
  async handler({ services }, { NAME: name }) {
    const members = await holders(services, name);
    if (members.length > 0) {
      const names = members.slice(0, 5).join(', ');
      const reason = text(
        `operators have it: ${names}. Take it away with MOD OPERATOR: GROUPS= first`,
        `仍有操作员使用：${names}。请先用 MOD OPERATOR: GROUPS= 去掉`,
      );
      throw new MmlError(3007, { reason });
    }
    await services.commandGroups.remove(name);
    return {};
  },
});

/** Sets of commands that operators may run besides those of their role: LST, ADD, MOD, RMV CMDGROUP. */
export const commandGroupCommands: readonly Command[] = [listGroups, addGroup, modifyGroup, removeGroup];
