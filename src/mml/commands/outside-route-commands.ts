import { CALL_CLASSES, type OutsideRoute, type RouteTrunk } from '../../routing/outside-types.js';
import { MAX_RANK, MAX_ROUTE_TRUNKS, MAX_TURN } from '../../trunks/route-rules.js';
import {
  type Command,
  defineCommand,
  type ParamSpec,
  type ParamType,
  type ReportSpec,
  type Row,
  ValueProblem,
} from '../registry/command.js';
import { number, oneOf, string } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { shortName } from './trunk-params.js';

/** `name`, `name:priority` or `name:priority:weight`, divided by `&`; `""` for none. */
const routeTrunks: ParamType<readonly RouteTrunk[]> = {
  name: text('trunks', '中继列表'),
  allowed: text(
    'trunks as name:priority:weight, such as carrier1:1:70&carrier2:1:30&backup:2, "" for none',
    '中继列表 名称:优先级:权重，例如 carrier1:1:70&carrier2:1:30&backup:2，"" 表示无',
  ),
  parse({ parts }) {
    const given = parts.filter((part) => part !== '');
    if (given.length > MAX_ROUTE_TRUNKS) throw new ValueProblem('range');
    return given.map((part) => {
      const match = /^([A-Za-z0-9][A-Za-z0-9._-]{0,31})(?::(\d{1,4}))?(?::(\d{1,4}))?$/.exec(part);
      if (!match) throw new ValueProblem('invalid');
      const [priority, weight] = [Number(match[2] ?? 1), Number(match[3] ?? 1)];
      if (priority > MAX_TURN || weight > MAX_TURN) throw new ValueProblem('range');
      return { trunk: match[1]!, priority, weight };
    });
  },
};

const ROUTE = {
  type: shortName,
  purpose: text('Name of the route', '路由名称'),
  example: 'world',
  suggest: async (services: Services) =>
    services.trunks
      .listRoutes()
      .slice(0, 20)
      .map(({ name }) => name),
} as const satisfies ParamSpec;

const ROUTE_PARAMS = {
  PREFIX: {
    type: string({ min: 0, max: 64 }),
    purpose: text('Beginning of the numbers; "" for every telephone number', '号码前缀，"" 表示所有号码'),
    example: '00',
  },
  PATTERN: {
    type: string({ min: 0, max: 128 }),
    purpose: text('In place of a prefix: a pattern of whole numbers', '代替前缀：整个号码的表达式'),
    example: '"0[1-9][0-9]{5,12}"',
  },
  RANK: {
    type: number(0, MAX_RANK),
    purpose: text('Routes of lower rank are asked first', '序位，小者优先'),
  },
  CLASS: {
    type: oneOf(CALL_CLASSES),
    purpose: text('What such calls cost; users need the right', '呼叫等级，用户须有相应权限'),
  },
  TRUNKS: {
    type: routeTrunks,
    purpose: text(
      'Trunks with priority and weight, the lowest priority first; none bars the numbers',
      '中继及其优先级和权重，优先级小者先用；为空则禁止呼叫',
    ),
    example: 'carrier1:1:70&carrier2:1:30',
  },
} as const;

const routeReport: ReportSpec = {
  name: 'routes',
  title: text('Routes', '路由'),
  layout: 'table',
  columns: [
    { key: 'name', title: text('Name', '名称') },
    { key: 'prefix', title: text('Prefix', '前缀') },
    { key: 'pattern', title: text('Pattern', '表达式') },
    { key: 'rank', title: text('Rank', '序位') },
    { key: 'callClass', title: text('Class', '等级') },
    { key: 'trunks', title: text('Trunks', '中继') },
  ],
};

function toRow({ trunks, ...route }: OutsideRoute): Row {
  const list = trunks.map(({ trunk, priority, weight }) => `${trunk}:${priority}:${weight}`);
  return { ...route, trunks: list.join(' ') };
}

const sections = (route: OutsideRoute) => ({ sections: [{ report: routeReport, rows: [toRow(route)] }] });

interface RouteValues {
  readonly PREFIX: string | undefined;
  readonly PATTERN: string | undefined;
  readonly RANK: number | undefined;
  readonly CLASS: OutsideRoute['callClass'] | undefined;
  readonly TRUNKS: readonly RouteTrunk[] | undefined;
}

const toInput = ({ PREFIX, PATTERN, RANK, CLASS, TRUNKS }: RouteValues) => ({
  prefix: PREFIX,
  pattern: PATTERN,
  rank: RANK,
  callClass: CLASS,
  trunks: TRUNKS,
});

const listRoutes = defineCommand({
  verb: 'LST',
  object: 'ROUTE',
  purpose: text('List the routes to numbers outside, in the order they are asked', '按查找顺序查询外线路由'),
  params: {},
  reports: [routeReport],
  examples: ['LST ROUTE'],
  handler({ services }) {
    return { sections: [{ report: routeReport, rows: services.trunks.listRoutes().map(toRow) }] };
  },
});

const addRoute = defineCommand({
  verb: 'ADD',
  object: 'ROUTE',
  purpose: text('Create a route to numbers outside', '增加外线路由'),
  params: {
    NAME: { ...ROUTE, required: true },
    ...ROUTE_PARAMS,
    RANK: { ...ROUTE_PARAMS.RANK, default: '100' },
    CLASS: { ...ROUTE_PARAMS.CLASS, default: 'NATIONAL' },
    TRUNKS: { ...ROUTE_PARAMS.TRUNKS, required: true },
  },
  oneOf: [['PREFIX', 'PATTERN']],
  excludes: [['PREFIX', 'PATTERN']],
  reports: [routeReport],
  examples: [
    'ADD ROUTE: NAME=world, PREFIX=00, CLASS=INTERNATIONAL, TRUNKS=carrier1:1:70&carrier2:1:30',
    'ADD ROUTE: NAME=no-premium, PREFIX=0900, RANK=10, TRUNKS=""',
  ],
  async handler({ services }, values) {
    return sections(await services.trunks.addRoute(values.NAME, toInput(values)));
  },
});

const modifyRoute = defineCommand({
  verb: 'MOD',
  object: 'ROUTE',
  purpose: text('Change a route', '修改外线路由'),
  params: { NAME: { ...ROUTE, required: true }, ...ROUTE_PARAMS },
  oneOf: [['PREFIX', 'PATTERN', 'RANK', 'CLASS', 'TRUNKS']],
  excludes: [['PREFIX', 'PATTERN']],
  reports: [routeReport],
  examples: ['MOD ROUTE: NAME=world, TRUNKS=carrier2'],
  async handler({ services }, values) {
    return sections(await services.trunks.modifyRoute(values.NAME, toInput(values)));
  },
});

const removeRoute = defineCommand({
  verb: 'RMV',
  object: 'ROUTE',
  purpose: text('Remove a route', '删除外线路由'),
  params: { NAME: { ...ROUTE, required: true } },
  examples: ['RMV ROUTE: NAME=world'],
  async handler({ services }, { NAME: name }) {
    await services.trunks.removeRoute(name);
    return {};
  },
});

/** Routes to the outside: LST, ADD, MOD, RMV ROUTE. */
export const outsideRouteCommands: readonly Command[] = [listRoutes, addRoute, modifyRoute, removeRoute];
