import { displayWidth, padTo } from '../report/layout.js';
import { type Bilingual, inLanguage, type Language, text } from '../text.js';
import { CONFIRM, canonicalName } from './bind-params.js';
import type { Command, ParamSpec } from './command.js';
import { lineContext } from './line-context.js';
import { nearest } from './nearest.js';
import type { Registry } from './registry.js';

/** What each verb means (ITU-T Z.300 series style). */
export const VERBS: Readonly<Record<string, Bilingual>> = {
  LST: text('show stored configuration', '查询已保存的配置'),
  DSP: text('show live state', '查询实时状态'),
  ADD: text('create', '增加'),
  MOD: text('change', '修改'),
  RMV: text('remove', '删除'),
  SET: text('change a setting', '设置'),
  ACT: text('activate', '激活'),
  DEA: text('deactivate', '去激活'),
  STR: text('start a task or service', '启动'),
  STP: text('stop a task or service', '停止'),
  RST: text('restart or reset', '重启'),
  CLR: text('clear', '清除'),
  EXP: text('export', '导出'),
  IMP: text('import', '导入'),
  TST: text('test', '测试'),
  UNL: text('unlock', '解锁'),
  CHK: text('check consistency', '核查'),
  SAV: text('save', '保存'),
  HLP: text('help', '帮助'),
  LGO: text('log out', '退出登录'),
};

const WORDS = {
  purpose: text('Purpose', '功能'),
  role: text('Role', '角色'),
  aliases: text('Also written', '别名'),
  dangerous: text('Dangerous', '危险命令'),
  needsConfirm: text(
    'asks (Y/N), or needs CONFIRM=YES in a script',
    '终端上询问 (Y/N)，脚本中需加 CONFIRM=YES',
  ),
  parameters: text('Parameters', '参数'),
  required: text('required', '必选'),
  optional: text('optional', '可选'),
  oneOf: text('at least one of', '至少给出其一：'),
  default: text('default', '默认'),
  keyword: text('may stand as a bare word', '可直接写作关键字'),
  example: text('Example', '示例'),
  secret: text('never shown or logged', '不显示、不记录'),
  secretWith: text('not shown or logged where it may be a secret', '可能是敏感信息时不显示、不记录'),
  alias: text('also', '又写作'),
  unknown: text('Nothing known begins like this.', '没有以此开头的命令。'),
  objects: text('Objects', '对象'),
  verbs: text('Verbs', '动词'),
  end: text('Enter runs the command.', '按回车执行命令。'),
};

const columns = (pairs: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(0, ...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${padTo(left, width)}  ${right}`.trimEnd());
};

/** Help for the text before the cursor: what may stand there. */
export function helpAt(registry: Registry, before: string, language: Language): string[] {
  const say = (value: Bilingual) => inLanguage(value, language);
  const context = lineContext(registry, before);
  switch (context.stage) {
    case 'word': {
      const { words, partial, command } = context;
      const next = [...registry.suggest(words, partial)];
      const shown = columns(
        next.sort().map(([word, commands]) => [word, say(wordPurpose(words, word, commands))]),
      );
      const own = command ? paramLines(command, partial, new Set(), language) : [];
      return shown.length + own.length > 0
        ? [...shown, ...own]
        : unknownWord(registry, words, partial, language);
    }
    case 'param': {
      const lines = paramLines(context.command, context.partial, context.used, language);
      return lines.length > 0 ? lines : [`  ${say(WORDS.end)}`];
    }
    case 'value':
      return valueLines(context.name, context.command.params[context.name]!, language);
    case 'lost':
      return [`  ${say(WORDS.unknown)}`];
  }
}

function wordPurpose(words: readonly string[], word: string, commands: readonly Command[]): Bilingual {
  if (words.length === 0) return VERBS[word] ?? commands[0]!.purpose;
  const path = [...words, word].join(' ');
  const exact = commands.find((command) => command.path === path || command.aliases?.includes(path));
  return (exact ?? commands[0]!).purpose;
}

function unknownWord(
  registry: Registry,
  words: readonly string[],
  partial: string,
  language: Language,
): string[] {
  const near = nearest(partial, registry.next(words).keys());
  return near.length > 0 ? near.map((word) => `  ${word}`) : [`  ${inLanguage(WORDS.unknown, language)}`];
}

function paramLines(
  command: Command,
  partial: string,
  used: ReadonlySet<string>,
  language: Language,
): string[] {
  const shown = Object.entries(command.params).filter(
    ([name, spec]) =>
      !used.has(name) &&
      (name.startsWith(partial) ||
        (spec.keyword && spec.type.values?.some((word) => word.startsWith(partial)))),
  );
  return columns(shown.map(([name, spec]) => [paramHead(name, spec), paramSummary(spec, language)]));
}

function paramHead(name: string, spec: ParamSpec): string {
  const isFlag = spec.keyword && spec.type.values?.length === 1 && spec.type.values[0] === name;
  return isFlag ? name : `${name}=`;
}

function paramSummary(spec: ParamSpec, language: Language): string {
  const say = (value: Bilingual) => inLanguage(value, language);
  const facts = [
    say(spec.required ? WORDS.required : WORDS.optional),
    say(spec.type.allowed).trim(),
    ...(spec.default === undefined ? [] : [`${say(WORDS.default)} ${spec.default}`]),
    ...(spec.keyword && spec.type.values && spec.type.values.length > 1 ? [say(WORDS.keyword)] : []),
    ...(spec.aliases ? [`${say(WORDS.alias)} ${spec.aliases.join(', ')}`] : []),
    ...(spec.secret ? [say(WORDS.secret)] : []),
    ...(spec.secretWith ? [say(WORDS.secretWith)] : []),
  ];
  return `${say(spec.purpose)} (${facts.join('; ')})`;
}

function valueLines(name: string, spec: ParamSpec, language: Language): string[] {
  const say = (value: Bilingual) => inLanguage(value, language);
  return [
    `  ${name}: ${paramSummary(spec, language)}`,
    ...(spec.type.values ?? []).map((value) => `    ${value}`),
    ...(spec.example === undefined ? [] : [`  ${say(WORDS.example)}  ${name}=${spec.example}`]),
  ];
}

/** What a parameter means in each command that takes it; nothing when none does. */
export function paramHelp(registry: Registry, name: string, language: Language): string[] {
  const pairs = registry.commands.flatMap((command) => {
    const own = command.params[name] ? name : canonicalName(command, name);
    return own === undefined ? [] : [[command.path, paramSummary(command.params[own]!, language)] as const];
  });
  return columns(pairs);
}

/** Help of one command in full. */
export function commandHelp(command: Command, language: Language): string[] {
  const say = (value: Bilingual) => inLanguage(value, language);
  const head: [string, string][] = [
    [say(WORDS.purpose), say(command.purpose)],
    [say(WORDS.role), command.role],
    ...(command.aliases ? [[say(WORDS.aliases), command.aliases.join(', ')] as [string, string]] : []),
    ...(command.dangerous
      ? [[say(WORDS.dangerous), `${say(command.dangerous)} (${say(WORDS.needsConfirm)})`] as [string, string]]
      : []),
    ...(command.oneOf ?? []).map((group): [string, string] => [say(WORDS.oneOf), group.join(', ')]),
  ];
  const params = paramLines(command, '', new Set(command.dangerous ? [] : [CONFIRM]), language);
  return [
    ...padded(head),
    ...(params.length > 0 ? [`  ${say(WORDS.parameters)}`, ...params.map((line) => `  ${line}`)] : []),
    ...command.examples.map((example) => `  ${say(WORDS.example)}  ${example};`),
  ];
}

const padded = (pairs: readonly (readonly [string, string])[]): string[] => {
  const width = Math.max(0, ...pairs.map(([left]) => displayWidth(left)));
  return pairs.map(([left, right]) => `  ${padTo(left, width)}  ${right}`);
};
