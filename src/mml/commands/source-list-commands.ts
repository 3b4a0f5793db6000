import type { Exemption, SourceEntry, SourceListName } from '../../security/source-types.js';
import { type Command, defineCommand, type ParamSpec, type ReportSpec } from '../registry/command.js';
import { cidr, duration, oneOf, string } from '../registry/param-types.js';
import { type Bilingual, text } from '../text.js';
import { AFTER, LIMIT, moreNote } from './paging.js';

const TEN_YEARS_MS = 3650 * 86_400_000;
/** How one of the two lists is called. */
interface Words {
  readonly object: string;
  readonly title: Bilingual;
  readonly list: Bilingual;
  readonly add: Bilingual;
  readonly remove: Bilingual;
}

const WORDS: Record<SourceListName, Words> = {
  black: {
    object: 'BLACKLIST',
    title: text('Black list', '黑名单'),
    list: text('List addresses and networks that are not heard', '查询黑名单：不予处理的地址和网段'),
    add: text(
      'Do not hear an address or network any more: what it sends is dropped, its connections are closed',
      '将地址或网段加入黑名单：丢弃其消息并断开其连接',
    ),
    remove: text(
      'Hear an address or network again, whoever banned it',
      '从黑名单移除地址或网段（包括自动封禁）',
    ),
  },
  white: {
    object: 'WHITELIST',
    title: text('White list', '白名单'),
    list: text(
      'List addresses and networks that are never banned; the list goes before the black list',
      '查询白名单：永不封禁的地址和网段，优先于黑名单',
    ),
    add: text('Never ban an address or network, and hear it whatever the black list has', '加入白名单'),
    remove: text('Take an address or network off the white list', '从白名单移除地址或网段'),
  },
};

const SOURCE = {
  type: cidr,
  purpose: text('Address or network', '地址或网段'),
  aliases: ['ADDRESS', 'CIDR'],
  example: '192.0.2.7',
} as const satisfies ParamSpec;

export const FOR = {
  type: duration(1000, TEN_YEARS_MS),
  purpose: text('How long; for good when absent', '有效时长；缺省为永久'),
  example: '1d',
} as const satisfies ParamSpec;

export const REASON = {
  type: string({ max: 128 }),
  purpose: text('Why, for other operators', '原因'),
  example: '"scans numbers"',
} as const satisfies ParamSpec;

const columns: ReportSpec['columns'] = [
  { key: 'source', title: text('Address', '地址') },
  { key: 'addedAt', title: text('Since', '起始时间'), format: 'time' },
  { key: 'expiresAt', title: text('Until', '截止时间'), format: 'time' },
  { key: 'by', title: text('By', '操作者') },
  { key: 'reason', title: text('Reason', '原因') },
];

/** Said when somebody is banned whom the server would not ban. */
const WARNINGS: Record<Exemption, Bilingual> = {
  WHITELIST: text('The white list has this address: it is heard all the same', '该地址在白名单中：仍会处理'),
  TRUSTED: text('SIP_TRUSTED has this address', '该地址属于 SIP_TRUSTED'),
  TRUNK: text('Calls of a trunk come from there', '中继呼叫来自该地址'),
  PHONES: text(
    'Within the last hour phones of subscribers registered or called from there',
    '最近一小时内有用户话机从该地址注册或呼叫',
  ),
};

const toRow = ({ isAutomatic: _, ...entry }: SourceEntry) => ({ ...entry });

function listCommand(name: SourceListName): Command {
  const { object, title, list } = WORDS[name];
  const report: ReportSpec = { name: object.toLowerCase(), title, columns, layout: 'table' };
  const isBlack = name === 'black';
  return defineCommand({
    verb: 'LST',
    object,
    aliases: [`DSP ${object}`],
    purpose: list,
    params: {
      IP: {
        ...SOURCE,
        purpose: text('Entries that touch this address or network', '与此地址或网段相关的条目'),
      },
      BY: {
        type: oneOf(['SERVER', 'OPERATOR']),
        purpose: text('Who made them: bans of the server, or operators', '来源：自动封禁或操作员'),
        keyword: true,
      },
      LIMIT,
      AFTER: { ...AFTER, example: '192.0.2.7' },
    },
    reports: [report],
    examples: isBlack ? ['LST BLACKLIST', 'DSP BLACKLIST', 'LST BLACKLIST: IP=192.0.2.7'] : ['LST WHITELIST'],
    handler({ services }, { IP: ip, BY: by, LIMIT: limit, AFTER: after }) {
      const { sources } = services;
      const all = ip === undefined ? sources.list(name) : sources.touching(name, ip);
      const wanted = all.filter(({ isAutomatic }) => by === undefined || isAutomatic === (by === 'SERVER'));
      const begin = after === undefined ? 0 : wanted.findIndex(({ source }) => source === after) + 1;
      const shown = wanted.slice(begin, begin + limit);
      const last = shown.at(-1);
      const more = last && wanted.length > begin + limit ? { note: moreNote('AFTER', last.source) } : {};
      return { sections: [{ report, rows: shown.map(toRow), ...more }] };
    },
  });
}

function addCommand(name: SourceListName): Command {
  const { object, title, add } = WORDS[name];
  const report: ReportSpec = { name: object.toLowerCase(), title, columns };
  return defineCommand({
    verb: 'ADD',
    object,
    purpose: add,
    params: { IP: { ...SOURCE, required: true }, FOR, REASON },
    reports: [report],
    examples:
      name === 'black'
        ? ['ADD BLACKLIST: IP=192.0.2.7', 'ADD BLACKLIST: IP=198.51.100.0/24, FOR=1d, REASON="scans numbers"']
        : ['ADD WHITELIST: IP=203.0.113.0/28, REASON="head office"'],
    async handler({ services, session, clock }, { IP: ip, FOR: lastsMs, REASON: reason = '' }) {
      const entry = await services.sources.add(name, ip, {
        reason,
        by: session.operator,
        ...(lastsMs !== undefined && { expiresAt: clock.now() + lastsMs }),
      });
      const warning = name === 'black' ? services.sources.exemption(ip) : undefined;
      return { sections: [{ report, rows: [toRow(entry)], ...(warning && { note: WARNINGS[warning] }) }] };
    },
  });
}

function removeCommand(name: SourceListName): Command {
  const { object, remove } = WORDS[name];
  return defineCommand({
    verb: 'RMV',
    object,
    purpose: remove,
    params: {
      IP: {
        ...SOURCE,
        required: true,
        suggest: async ({ sources }, prefix) =>
          sources
            .list(name)
            .map(({ source }) => source)
            .filter((source) => source.startsWith(prefix))
            .slice(0, 20),
      },
    },
    examples: [`RMV ${object}: IP=192.0.2.7`],
    async handler({ services }, { IP: ip }) {
      await services.sources.remove(name, ip);
      return {};
    },
  });
}

const NAMES: readonly SourceListName[] = ['black', 'white'];

/** Black list and white list: LST, ADD, RMV. */
export const sourceListCommands: readonly Command[] = NAMES.flatMap((name) => [
  listCommand(name),
  addCommand(name),
  removeCommand(name),
]);
