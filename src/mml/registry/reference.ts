import { RETCODES } from '../report/retcodes.js';
import { type Bilingual, inLanguage, type Language, text } from '../text.js';
import type { Command, ParamSpec } from './command.js';
import { VERBS } from './help.js';
import type { Registry } from './registry.js';

const WORDS = {
  title: text('MML command reference', 'MML 命令参考'),
  generated: text(
    'Generated from the command registry by `node scripts/mml-reference.mjs`; do not edit.',
    '由 `node scripts/mml-reference.mjs` 从命令注册表生成，请勿手工修改。',
  ),
  verbs: text('Verbs', '动词'),
  verb: text('Verb', '动词'),
  meaning: text('Meaning', '含义'),
  commands: text('Commands', '命令'),
  role: text('Role', '角色'),
  aliases: text('Also written', '别名'),
  dangerous: text(
    'Dangerous: asks (Y/N) on a terminal, needs `CONFIRM=YES` in a script.',
    '危险命令：终端上询问 (Y/N)，脚本中需加 `CONFIRM=YES`。',
  ),
  oneOf: text('At least one of', '至少给出其一：'),
  parameter: text('Parameter', '参数'),
  values: text('Values', '取值'),
  purpose: text('Meaning', '含义'),
  required: text('required', '必选'),
  default: text('default', '默认'),
  secret: text('never shown or logged', '不显示、不记录'),
  secretWith: text('not shown or logged where it may be a secret', '可能是敏感信息时不显示、不记录'),
  keyword: text('also as a bare word', '可直接写作关键字'),
  also: text('also', '又写作'),
  report: text('Report', '报告'),
  retcodes: text('RETCODE', 'RETCODE'),
};

/** docs/mml-reference.md: every command and RETCODE, from the declarations alone. */
export function referenceMarkdown(registry: Registry, language: Language): string {
  const say = (value: Bilingual) => inLanguage(value, language);
  const used = new Set(registry.commands.map((command) => command.verb));
  const verbs = Object.entries(VERBS).filter(([verb]) => used.has(verb));
  const lines = [
    `# ${say(WORDS.title)}`,
    '',
    say(WORDS.generated),
    '',
    `## ${say(WORDS.verbs)}`,
    '',
    `| ${say(WORDS.verb)} | ${say(WORDS.meaning)} |`,
    '| --- | --- |',
    ...verbs.map(([verb, meaning]) => `| ${verb} | ${say(meaning)} |`),
    '',
    `## ${say(WORDS.commands)}`,
    '',
    ...registry.commands.flatMap((command) => commandLines(command, language)),
    `## ${say(WORDS.retcodes)}`,
    '',
    `| RETCODE | ${say(WORDS.meaning)} |`,
    '| --- | --- |',
    ...Object.entries(RETCODES).map(([code, sentence]) => `| ${code} | ${cell(say(sentence))} |`),
    '',
  ];
  return lines.join('\n');
}

function commandLines(command: Command, language: Language): string[] {
  const say = (value: Bilingual) => inLanguage(value, language);
  const params = Object.entries(command.params);
  return [
    `### ${command.path}`,
    '',
    `${say(command.purpose)}.`,
    '',
    `- ${say(WORDS.role)}: ${command.role}`,
    ...(command.aliases ? [`- ${say(WORDS.aliases)}: ${command.aliases.map(code).join(', ')}`] : []),
    ...(command.dangerous ? [`- ${say(WORDS.dangerous)}`] : []),
    ...(command.oneOf ?? []).map((group) => `- ${say(WORDS.oneOf)} ${group.map(code).join(', ')}`),
    ...(command.reports ?? []).map((report) => {
      const columns = report.columns.map((column) => code(column.key)).join(', ');
      return `- ${say(WORDS.report)} ${say(report.title)} (${code(report.name)}): ${columns}`;
    }),
    '',
    ...(params.length > 0
      ? [
          `| ${say(WORDS.parameter)} | ${say(WORDS.values)} | ${say(WORDS.purpose)} |`,
          '| --- | --- | --- |',
          ...params.map(([name, spec]) => paramLine(name, spec, language)),
          '',
        ]
      : []),
    '```',
    ...command.examples.map((example) => `${example};`),
    '```',
    '',
  ];
}

function paramLine(name: string, spec: ParamSpec, language: Language): string {
  const say = (value: Bilingual) => inLanguage(value, language);
  const facts = [
    say(spec.purpose),
    ...(spec.required ? [`**${say(WORDS.required)}**`] : []),
    ...(spec.default === undefined ? [] : [`${say(WORDS.default)} ${code(spec.default)}`]),
    ...(spec.secret ? [say(WORDS.secret)] : []),
    ...(spec.secretWith ? [say(WORDS.secretWith)] : []),
    ...(spec.keyword && !spec.type.takesWords ? [say(WORDS.keyword)] : []),
    ...(spec.aliases ? [`${say(WORDS.also)} ${spec.aliases.map(code).join(', ')}`] : []),
  ];
  return `| ${code(name)} | ${cell(say(spec.type.allowed).trim())} | ${cell(facts.join('; '))} |`;
}

const code = (value: string) => `\`${value}\``;
const cell = (value: string) => value.replaceAll('|', '\\|');
