import { CODE_ACTIONS } from '../../routing/feature-codes.js';
import type { NumberEntry, TimeRule } from '../../routing/types.js';
import {
  type Command,
  defineCommand,
  type ParamSpec,
  type ReportSpec,
  type Row,
} from '../registry/command.js';
import { hours, number, oneOf, string, username, weekdays } from '../registry/param-types.js';
import { clockTime, writeDays } from '../report/hours.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { destination } from './feature-params.js';
import { AFTER, LIMIT, moreNote } from './paging.js';

const NUMBER = {
  type: username,
  purpose: text('Number that is dialled', '所拨号码'),
  example: '100',
  suggest: async (services: Services) =>
    (await services.numbering.listNumbers({ limit: 20 })).map((entry) => entry.number),
} as const satisfies ParamSpec;

const numberReport: ReportSpec = {
  name: 'numbers',
  title: text('Number', '号码'),
  columns: [
    { key: 'number', title: text('Number', '号码') },
    { key: 'to', title: text('Leads to', '转到') },
    { key: 'rules', title: text('Time rules', '时间规则') },
  ],
};

/** `1) MON&TUE 08:00-18:00 Europe/Berlin to 1001`. */
function ruleText({ days, from, until, zone, to }: TimeRule, i: number): string {
  return `${i + 1}) ${writeDays(days)} ${clockTime(from)}-${clockTime(until)} ${zone} to ${to}`;
}

const toRow = ({ number: dialled, to, rules }: NumberEntry): Row => ({
  number: dialled,
  to,
  rules: rules.map(ruleText).join('; '),
});
const sections = (entry: NumberEntry) => ({ sections: [{ report: numberReport, rows: [toRow(entry)] }] });

const listNumbers = defineCommand({
  verb: 'LST',
  object: 'NUMBER',
  purpose: text('List the short numbers and their time rules', '查询短号与时间规则'),
  params: { AFTER, LIMIT },
  reports: [numberReport],
  examples: ['LST NUMBER'],
  async handler({ services }, { AFTER: after, LIMIT: limit }) {
    const page = await services.numbering.listNumbers({ limit, ...(after !== undefined && { after }) });
    const last = page.length === limit ? page.at(-1)?.number : undefined;
    const note = last === undefined ? {} : { note: moreNote('AFTER', last) };
    return { sections: [{ report: numberReport, rows: page.map(toRow), ...note }] };
  },
});

const TO = {
  type: destination,
  purpose: text('Where it leads; "" for where its time rules lead only', '转到的号码；"" 表示仅按时间规则'),
  required: true,
  example: '1001',
} as const;

const addNumber = defineCommand({
  verb: 'ADD',
  object: 'NUMBER',
  purpose: text('Create a short number or alias', '增加短号或别名'),
  params: { NUMBER: { ...NUMBER, required: true }, TO },
  reports: [numberReport],
  examples: ['ADD NUMBER: NUMBER=100, TO=1001'],
  handler: async ({ services }, values) =>
    sections(await services.numbering.addNumber(values.NUMBER, values.TO)),
});

const modifyNumber = defineCommand({
  verb: 'MOD',
  object: 'NUMBER',
  purpose: text('Change where a number leads', '修改号码的去向'),
  params: { NUMBER: { ...NUMBER, required: true }, TO },
  reports: [numberReport],
  examples: ['MOD NUMBER: NUMBER=100, TO=1002'],
  handler: async ({ services }, values) =>
    sections(await services.numbering.modifyNumber(values.NUMBER, values.TO)),
});

const removeNumber = defineCommand({
  verb: 'RMV',
  object: 'NUMBER',
  purpose: text('Remove a number with its time rules', '删除号码及其时间规则'),
  params: { NUMBER: { ...NUMBER, required: true } },
  examples: ['RMV NUMBER: NUMBER=100'],
  async handler({ services }, { NUMBER: dialled }) {
    await services.numbering.removeNumber(dialled);
    return {};
  },
});

const addRule = defineCommand({
  verb: 'ADD',
  object: 'TIMERULE',
  purpose: text('Lead a number elsewhere at some hours of the week', '为号码增加按时间的去向'),
  params: {
    NUMBER: { ...NUMBER, required: true },
    DAYS: { type: weekdays, purpose: text('Days of the week', '星期'), required: true, example: 'MON-FRI' },
    HOURS: {
      type: hours,
      purpose: text('Hours of the day', '时段'),
      default: '00:00-24:00',
      example: '18:00-08:00',
    },
    ZONE: {
      type: string({ max: 64 }),
      purpose: text('Time zone', '时区'),
      default: 'UTC',
      example: 'Europe/Berlin',
    },
    TO: { ...TO, purpose: text('Where it leads then', '此时转到') },
  },
  reports: [numberReport],
  examples: ['ADD TIMERULE: NUMBER=800, DAYS=MON-FRI, HOURS=18:00-08:00, ZONE=Europe/Berlin, TO=1009'],
  async handler({ services }, { NUMBER: dialled, DAYS: days, HOURS, ZONE: zone, TO: to }) {
    return sections(await services.numbering.addRule(dialled, { days, ...HOURS, zone, to }));
  },
});

const removeRule = defineCommand({
  verb: 'RMV',
  object: 'TIMERULE',
  purpose: text('Remove a time rule', '删除时间规则'),
  params: {
    NUMBER: { ...NUMBER, required: true },
    RULE: {
      type: number(1, 50),
      purpose: text('Its place in LST NUMBER', '规则序号'),
      required: true,
      example: '1',
    },
  },
  reports: [numberReport],
  examples: ['RMV TIMERULE: NUMBER=800, RULE=1'],
  handler: async ({ services }, values) =>
    sections(await services.numbering.removeRule(values.NUMBER, values.RULE)),
});

const codeReport: ReportSpec = {
  name: 'codes',
  title: text('Feature code', '业务代码'),
  layout: 'table',
  columns: [
    { key: 'action', title: text('Action', '动作') },
    { key: 'code', title: text('Code', '代码') },
  ],
};

const listCodes = defineCommand({
  verb: 'LST',
  object: 'CODE',
  purpose: text('List the feature codes that phones may dial', '查询业务代码'),
  params: {},
  reports: [codeReport],
  examples: ['LST CODE'],
  async handler({ services }) {
    const table = await services.numbering.codes();
    return {
      sections: [
        { report: codeReport, rows: CODE_ACTIONS.map((action) => ({ action, code: table[action] })) },
      ],
    };
  },
});

const modifyCode = defineCommand({
  verb: 'MOD',
  object: 'CODE',
  purpose: text('Change a feature code, or switch it off with ""', '修改业务代码；"" 表示停用'),
  params: {
    ACTION: { type: oneOf(CODE_ACTIONS), purpose: text('What it does', '动作'), required: true },
    CODE: {
      type: string({ min: 0, max: 32 }),
      purpose: text('What is dialled; N stands for the number', '拨号内容；N 代表号码'),
      required: true,
      example: '"*72*N#"',
    },
  },
  reports: [codeReport],
  examples: ['MOD CODE: ACTION=FWDALL_ON, CODE="*72*N#"', 'MOD CODE: ACTION=PICKUP, CODE=""'],
  async handler({ services }, { ACTION: action, CODE: code }) {
    const table = await services.numbering.setCode(action, code);
    return { sections: [{ report: codeReport, rows: [{ action, code: table[action] }] }] };
  },
});

/** Short numbers, time rules, feature codes: LST, ADD, MOD, RMV NUMBER; ADD, RMV TIMERULE; LST, MOD CODE. */
export const numberCommands: readonly Command[] = [
  listNumbers,
  addNumber,
  modifyNumber,
  removeNumber,
  addRule,
  removeRule,
  listCodes,
  modifyCode,
];
