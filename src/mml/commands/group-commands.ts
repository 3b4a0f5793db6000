import type { GroupInput } from '../../numbering/types.js';
import { GROUP_STRATEGIES, type HuntGroup } from '../../routing/types.js';
import { MmlError } from '../errors.js';
import {
  type Command,
  defineCommand,
  type ParamSpec,
  type ReportSpec,
  type Row,
} from '../registry/command.js';
import { number, oneOf, string, textList, username } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { destination } from './feature-params.js';
import { AFTER, LIMIT, moreNote } from './paging.js';

const suggestGroups = async (services: Services): Promise<string[]> =>
  (await services.numbering.listGroups({ limit: 20 })).map((group) => group.number);

const GROUP = {
  type: username,
  purpose: text('Number of the group', '组号码'),
  example: '800',
  suggest: suggestGroups,
} as const satisfies ParamSpec;
const NAME = { type: string({ min: 0, max: 128 }), purpose: text('Name', '名称'), example: 'Sales' } as const;
const MEMBERS = {
  type: textList(100),
  purpose: text('Members in order', '成员，按顺序'),
  example: '1001&1002&1003',
} as const;
const STRATEGY = {
  type: oneOf(GROUP_STRATEGIES),
  purpose: text('Who is rung, and in which order', '寻线方式'),
} as const;
const MEMBERSEC = {
  type: number(3, 300),
  purpose: text('Seconds that one member rings, with ALL everybody', '每个成员（ALL 时为全体）的振铃秒数'),
} as const;
const OVERFLOW = {
  type: destination,
  purpose: text('Where calls go that nobody takes', '无人接听时转到'),
  example: '1009',
} as const;

const groupReport: ReportSpec = {
  name: 'groups',
  title: text('Hunt group', '寻线组'),
  columns: [
    { key: 'number', title: text('Number', '号码') },
    { key: 'name', title: text('Name', '名称') },
    { key: 'strategy', title: text('Strategy', '寻线方式') },
    { key: 'memberSec', title: text('Each rings', '振铃时长'), format: 'seconds' },
    { key: 'overflow', title: text('Overflow', '溢出到') },
    { key: 'members', title: text('Members', '成员') },
  ],
};

const memberReport: ReportSpec = {
  name: 'members',
  title: text('Members', '成员'),
  layout: 'table',
  columns: [
    { key: 'username', title: text('User name', '用户名') },
    { key: 'known', title: text('Exists', '存在'), format: 'yesno' },
    { key: 'contacts', title: text('Phones', '话机数') },
    { key: 'calls', title: text('Calls', '通话数') },
    { key: 'doNotDisturb', title: text('Do not disturb', '免打扰'), format: 'yesno' },
  ],
};

const toRow = ({ members, ...group }: HuntGroup): Row => ({ ...group, members: members.join(' ') });
const sections = (group: HuntGroup) => ({ sections: [{ report: groupReport, rows: [toRow(group)] }] });

async function memberRow(services: Services, name: string): Promise<Row> {
  const user = await services.users.view(name);
  const bindings = user ? await services.registrations.bindings(name) : [];
  const calls = services.calls.list().filter(({ caller, callee }) => caller === name || callee === name);
  const { doNotDisturb = false } = user?.features ?? {};
  return {
    username: name,
    known: user !== undefined,
    contacts: bindings.length,
    calls: calls.length,
    doNotDisturb,
  };
}

const listGroups = defineCommand({
  verb: 'LST',
  object: 'GROUP',
  purpose: text(
    'List the hunt groups; one with the state of its members',
    '查询寻线组；带 NUMBER 时显示成员状态',
  ),
  params: { NUMBER: GROUP, AFTER, LIMIT },
  reports: [groupReport, memberReport],
  examples: ['LST GROUP', 'LST GROUP: NUMBER=800'],
  async handler({ services }, { NUMBER: wanted, AFTER: after, LIMIT: limit }) {
    if (wanted === undefined) {
      const page = await services.numbering.listGroups({ limit, ...(after !== undefined && { after }) });
      const last = page.length === limit ? page.at(-1)?.number : undefined;
      const note = last === undefined ? {} : { note: moreNote('AFTER', last) };
      return { sections: [{ report: groupReport, rows: page.map(toRow), ...note }] };
    }
    const group = await services.numbering.group(wanted);
    if (!group) {
      const hint = text('See LST GROUP', '请查看 LST GROUP');
      throw new MmlError(4001, { what: text('group', '寻线组'), name: wanted, hint });
    }
    const rows = await Promise.all(group.members.map((member) => memberRow(services, member)));
    return { sections: [...sections(group).sections, { report: memberReport, rows }] };
  },
});

const addGroup = defineCommand({
  verb: 'ADD',
  object: 'GROUP',
  purpose: text('Create a hunt group', '增加寻线组'),
  params: {
    NUMBER: { ...GROUP, required: true },
    MEMBERS: { ...MEMBERS, required: true },
    NAME,
    STRATEGY: { ...STRATEGY, default: 'ALL' },
    MEMBERSEC: { ...MEMBERSEC, default: '20' },
    OVERFLOW,
  },
  reports: [groupReport],
  examples: ['ADD GROUP: NUMBER=800, MEMBERS=1001&1002, STRATEGY=LINEAR, MEMBERSEC=15, OVERFLOW=1009'],
  async handler({ services }, values) {
    if (await services.users.view(values.NUMBER))
      throw new MmlError(4002, { what: text('User', '用户'), name: values.NUMBER });
    return sections(await services.numbering.addGroup(values.NUMBER, toInput(values)));
  },
});

const modifyGroup = defineCommand({
  verb: 'MOD',
  object: 'GROUP',
  purpose: text('Change a hunt group', '修改寻线组'),
  params: { NUMBER: { ...GROUP, required: true }, MEMBERS, NAME, STRATEGY, MEMBERSEC, OVERFLOW },
  oneOf: [['MEMBERS', 'NAME', 'STRATEGY', 'MEMBERSEC', 'OVERFLOW']],
  reports: [groupReport],
  examples: ['MOD GROUP: NUMBER=800, MEMBERS=1001&1003', 'MOD GROUP: NUMBER=800, OVERFLOW=""'],
  async handler({ services }, values) {
    return sections(await services.numbering.modifyGroup(values.NUMBER, toInput(values)));
  },
});

const removeGroup = defineCommand({
  verb: 'RMV',
  object: 'GROUP',
  purpose: text('Remove a hunt group', '删除寻线组'),
  params: { NUMBER: { ...GROUP, required: true } },
  examples: ['RMV GROUP: NUMBER=800'],
  async handler({ services }, { NUMBER: wanted }) {
    await services.numbering.removeGroup(wanted);
    return {};
  },
});

interface GroupValues {
  readonly NAME: string | undefined;
  readonly MEMBERS: readonly string[] | undefined;
  readonly STRATEGY: HuntGroup['strategy'] | undefined;
  readonly MEMBERSEC: number | undefined;
  readonly OVERFLOW: string | undefined;
}

function toInput(values: GroupValues): GroupInput {
  const {
    NAME: name,
    MEMBERS: members,
    STRATEGY: strategy,
    MEMBERSEC: memberSec,
    OVERFLOW: overflow,
  } = values;
  return { name, members, strategy, memberSec, overflow };
}

/** Hunt groups: LST, ADD, MOD, RMV GROUP. */
export const groupCommands: readonly Command[] = [listGroups, addGroup, modifyGroup, removeGroup];
