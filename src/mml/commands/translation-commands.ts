import { TRANSLATION_KINDS, translate } from '../../routing/translate.js';
import type { TrunkView } from '../../trunks/types.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec, type Row } from '../registry/command.js';
import { number, oneOf, string } from '../registry/param-types.js';
import { text } from '../text.js';
import { TRUNK } from './trunk-params.js';

const DIRECTIONS = ['IN', 'OUT'] as const;
const NUMBERS = ['CALLED', 'CALLER'] as const;

export const translationReport: ReportSpec = {
  name: 'translations',
  title: text('Number translations', '号码变换'),
  layout: 'table',
  columns: [
    { key: 'trunk', title: text('Trunk', '中继') },
    { key: 'place', title: text('Place', '序号') },
    { key: 'direction', title: text('Direction', '方向') },
    { key: 'of', title: text('Of', '号码') },
    { key: 'kind', title: text('Kind', '类型') },
    { key: 'match', title: text('Match', '匹配') },
    { key: 'replace', title: text('Replace', '替换') },
  ],
};

const resultReport: ReportSpec = {
  name: 'translation',
  title: text('Number translation', '号码变换'),
  columns: [
    { key: 'number', title: text('Number', '号码') },
    { key: 'becomes', title: text('Becomes', '变换后') },
    { key: 'place', title: text('By translation', '所用规则') },
  ],
};

const DIR = {
  type: oneOf(DIRECTIONS),
  purpose: text('Calls from the trunk or to it', '呼入或呼出'),
} as const;
const OF = { type: oneOf(NUMBERS), purpose: text('Which number', '被叫或主叫号码') } as const;
const PLACE = { type: number(1, 100), purpose: text('Place among the translations', '规则序号') } as const;

/** The translations of a trunk, in order. */
export function translationRows({ name, rules }: TrunkView): Row[] {
  return rules.map((rule, i) => ({ trunk: name, place: i + 1, ...rule }));
}

const listTranslations = defineCommand({
  verb: 'LST',
  object: 'TRANSLATION',
  purpose: text('List the number translations of trunks', '查询中继的号码变换规则'),
  params: { TRUNK },
  reports: [translationReport],
  examples: ['LST TRANSLATION', 'LST TRANSLATION: TRUNK=carrier1'],
  handler({ services }, { TRUNK: name }) {
    const trunks = services.trunks.list().filter((trunk) => name === undefined || trunk.name === name);
    return { sections: [{ report: translationReport, rows: trunks.flatMap(translationRows) }] };
  },
});

const addTranslation = defineCommand({
  verb: 'ADD',
  object: 'TRANSLATION',
  purpose: text(
    'Add a number translation; of a trunk and direction the first that fits counts',
    '增加号码变换规则；同一中继同一方向取第一条匹配的规则',
  ),
  params: {
    TRUNK: { ...TRUNK, required: true },
    DIR: { ...DIR, required: true },
    OF: { ...OF, default: 'CALLED' },
    KIND: {
      type: oneOf(TRANSLATION_KINDS),
      purpose: text(
        'Beginning of the number, or a pattern of the whole of it',
        '按号码前缀，或按整个号码的表达式',
      ),
      default: 'PREFIX',
    },
    MATCH: {
      type: string({ min: 0, max: 128 }),
      purpose: text('Prefix, or a pattern such as 0([1-9][0-9]*)', '前缀，或表达式如 0([1-9][0-9]*)'),
      required: true,
      example: '00',
    },
    REPLACE: {
      type: string({ min: 0, max: 64 }),
      purpose: text('In its place; $1 to $9 are the groups of a pattern', '替换为；$1 至 $9 为表达式中的组'),
      required: true,
      example: '+',
    },
    PLACE,
  },
  reports: [translationReport],
  examples: [
    'ADD TRANSLATION: TRUNK=carrier1, DIR=OUT, MATCH=00, REPLACE=+',
    'ADD TRANSLATION: TRUNK=carrier1, DIR=IN, OF=CALLER, KIND=REGEX, MATCH="0([1-9][0-9]*)", REPLACE="+49$1"',
  ],
  async handler({ services }, values) {
    const { TRUNK: name, DIR: direction, OF: of, KIND: kind, MATCH: match, REPLACE: replace } = values;
    const rule = { direction, of, kind, match, replace };
    const trunk = await services.trunks.addRule(name, rule, values.PLACE);
    return { sections: [{ report: translationReport, rows: translationRows(trunk) }] };
  },
});

const removeTranslation = defineCommand({
  verb: 'RMV',
  object: 'TRANSLATION',
  purpose: text('Remove a number translation', '删除号码变换规则'),
  params: { TRUNK: { ...TRUNK, required: true }, PLACE: { ...PLACE, required: true, example: '1' } },
  reports: [translationReport],
  examples: ['RMV TRANSLATION: TRUNK=carrier1, PLACE=1'],
  async handler({ services }, { TRUNK: name, PLACE: place }) {
    const trunk = await services.trunks.removeRule(name, place);
    return { sections: [{ report: translationReport, rows: translationRows(trunk) }] };
  },
});

const testTranslation = defineCommand({
  verb: 'TST',
  object: 'TRANSLATION',
  purpose: text('Say what a number becomes at a trunk', '测试号码变换'),
  role: 'GUEST',
  params: {
    TRUNK: { ...TRUNK, required: true },
    DIR: { ...DIR, required: true },
    OF: { ...OF, default: 'CALLED' },
    NUMBER: {
      type: string({ max: 128 }),
      purpose: text('The number', '号码'),
      required: true,
      example: '0049301234',
    },
  },
  reports: [resultReport],
  examples: ['TST TRANSLATION: TRUNK=carrier1, DIR=OUT, NUMBER=0049301234'],
  handler({ services }, { TRUNK: name, DIR: direction, OF: of, NUMBER: wanted }) {
    const trunk = services.trunks.list().find((one) => one.name === name);
    if (!trunk) {
      const hint = text('See LST TRUNK', '请查看 LST TRUNK');
      throw new MmlError(4001, { what: text('trunk', '中继'), name, hint });
    }
    const { number: becomes, rule: place } = translate(wanted, trunk.rules, direction, of);
    return { sections: [{ report: resultReport, rows: [{ number: wanted, becomes, place }] }] };
  },
});

/** Number translations: LST, ADD, RMV, TST TRANSLATION. */
export const translationCommands: readonly Command[] = [
  listTranslations,
  addTranslation,
  removeTranslation,
  testTranslation,
];
