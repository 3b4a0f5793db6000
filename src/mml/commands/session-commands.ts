import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec, type Section } from '../registry/command.js';
import { commandHelp, paramHelp, VERBS } from '../registry/help.js';
import { nearest } from '../registry/nearest.js';
import { boolean, commandWords, flag, number, oneOf, string } from '../registry/param-types.js';
import { didYouMean, type Registry } from '../registry/registry.js';
import { mayRun } from '../registry/roles.js';
import { padTo } from '../report/layout.js';
import { ACCESS_WORDS } from '../report/words.js';
import type { SessionState } from '../session/session-state.js';
import { inLanguage, LANGUAGES, type Language, text } from '../text.js';

const sessionReport: ReportSpec = {
  name: 'sessions',
  title: text('Session', '会话'),
  columns: [
    { key: 'id', title: text('Session', '会话号') },
    { key: 'operator', title: text('Operator', '操作员') },
    { key: 'role', title: text('Role', '角色') },
    { key: 'address', title: text('Address', '地址') },
    { key: 'transport', title: text('By', '接入方式'), words: ACCESS_WORDS },
    { key: 'startedAt', title: text('Since', '登录时间'), format: 'time' },
    { key: 'idleSec', title: text('Idle', '空闲'), format: 'seconds' },
    { key: 'lastCommand', title: text('Last command', '最近命令') },
  ],
};

const listSessions = defineCommand({
  verb: 'LST',
  object: 'SESSION',
  purpose: text('List the open console sessions', '查询会话'),
  params: {},
  role: 'OPERATOR',
  reports: [sessionReport],
  examples: ['LST SESSION'],
  handler({ console, clock }) {
    const rows = console.sessions().map((state) => sessionRow(state, clock.now()));
    return { sections: [{ report: sessionReport, rows }] };
  },
});

const sessionRow = (state: SessionState, now: number) => ({
  id: state.id,
  operator: state.operator,
  role: state.role,
  address: state.address,
  transport: state.transport,
  startedAt: state.startedAt,
  idleSec: Math.max(0, Math.floor((now - state.lastInputAt) / 1000)),
  lastCommand: state.lastCommand,
});

const removeSession = defineCommand({
  verb: 'RMV',
  object: 'SESSION',
  purpose: text('End a console session', '结束会话'),
  params: {
    ID: { type: number(1, 1e9), purpose: text('Session number', '会话号'), required: true, example: '3' },
  },
  role: 'ADMIN',
  examples: ['RMV SESSION: ID=3'],
  handler({ console, session }, { ID: id }) {
    if (id === session.id) {
      throw new MmlError(3007, {
        reason: text('this is your own session; use LGO', '这是当前会话；请用 LGO'),
      });
    }
    if (!console.endSession(id)) {
      const hint = text('See LST SESSION', '请查看 LST SESSION');
      throw new MmlError(4001, { what: text('session', '会话'), name: id, hint });
    }
    return {};
  },
});

const settingsReport: ReportSpec = {
  name: 'settings',
  title: text('Session settings', '会话设置'),
  columns: [
    { key: 'format', title: text('Format', '格式') },
    { key: 'language', title: text('Language', '语言') },
    { key: 'page', title: text('Lines a page', '每页行数') },
    { key: 'alarms', title: text('Alarms', '告警上报'), format: 'yesno' },
  ],
};

const setSession = defineCommand({
  verb: 'SET',
  object: 'SESSION',
  purpose: text('Change how this session prints; without parameters shows it', '修改本会话的显示方式'),
  params: {
    FORMAT: { type: oneOf(['TEXT', 'JSON']), purpose: text('Form of reports', '报告格式') },
    LANG: { type: oneOf(LANGUAGES), purpose: text('Language of reports', '报告语言') },
    PAGE: {
      type: number(0, 1000),
      purpose: text('Lines a page on a terminal; 0 never stops', '每页行数，0 为不分页'),
      example: '24',
    },
    ALARM: {
      type: boolean,
      purpose: text(
        'Print alarms as they come and go, between commands; not for scripts of ims mml',
        '实时打印告警的产生与清除（在命令之间）；不适用于 ims mml 脚本',
      ),
      example: 'YES',
    },
  },
  role: 'GUEST',
  reports: [settingsReport],
  examples: ['SET SESSION: FORMAT=JSON', 'SET SESSION: LANG=ZH, PAGE=0', 'SET SESSION: ALARM=YES'],
  handler({ session }, { FORMAT: format, LANG: language, PAGE: page, ALARM: printsAlarms }) {
    if (format) session.format = format;
    if (language) session.language = language;
    if (page !== undefined) session.pageLines = page;
    if (printsAlarms !== undefined) session.printsAlarms = printsAlarms;
    const row = {
      format: session.format,
      language: session.language,
      page: session.pageLines ?? 'AUTO',
      alarms: session.printsAlarms,
    };
    return { sections: [{ report: settingsReport, rows: [row] }] };
  },
});

const logOut = defineCommand({
  verb: 'LGO',
  object: '',
  aliases: ['QUIT', 'EXIT', 'LOGOUT', 'BYE'],
  purpose: text('Log out', '退出登录'),
  params: {},
  examples: ['LGO'],
  handler: () => ({ endSession: true }),
});

const HOTKEYS = text(
  [
    'Tab            complete what is being typed',
    '?              explain what may come next, at any point of a command',
    'Up, Down       earlier and later commands; Ctrl-R searches them',
    'Left, Right    move by a character; Home or Ctrl-A, End or Ctrl-E to the ends',
    'Ctrl-U, Ctrl-K delete to the beginning, to the end; Ctrl-W the word before',
    'Ctrl-C         drop the line, or end the command that runs',
    'Ctrl-L         clear the screen',
    'Ctrl-D         log out, on an empty line',
  ].join('\n'),
  [
    'Tab            补全正在输入的内容',
    '?              在命令的任意位置查看后续可输入的内容',
    '上、下         前一条、后一条命令；Ctrl-R 搜索历史',
    '左、右         移动光标；Home 或 Ctrl-A 到行首，End 或 Ctrl-E 到行尾',
    'Ctrl-U, Ctrl-K 删除到行首、行尾；Ctrl-W 删除前一个词',
    'Ctrl-C         放弃当前行，或中断正在执行的命令',
    'Ctrl-L         清屏',
    'Ctrl-D         空行时退出登录',
  ].join('\n'),
);

const help = defineCommand({
  verb: 'HLP',
  object: '',
  aliases: ['HELP', '?'],
  purpose: text('Help: all commands, one command, or the keys', '帮助：全部命令、某条命令或快捷键'),
  params: {
    CMD: {
      type: commandWords,
      purpose: text('Command to explain', '要说明的命令'),
      example: '"ADD USER"',
    },
    PARAM: {
      type: string({ max: 40 }),
      purpose: text('Parameter: what it means and which commands take it', '参数：含义及使用它的命令'),
      example: 'USERNAME',
    },
    HOTKEY: {
      type: flag('HOTKEY'),
      purpose: text('The keys of the line editor', '行编辑快捷键'),
      keyword: true,
    },
    ALL: { type: flag('ALL'), purpose: text('All commands', '全部命令'), keyword: true },
    TOPIC: {
      type: commandWords,
      purpose: text('Command, without CMD=', '命令（可省略 CMD=）'),
      keyword: true,
    },
  },
  examples: ['HLP', 'HLP: CMD="ADD USER"', 'HELP CMD=DSP CALL', 'HLP: PARAM=USERNAME', 'HLP: HOTKEY'],
  handler({ console, session }, { CMD: cmd, PARAM: param, TOPIC: topic, HOTKEY: hotkey }) {
    const { registry } = console;
    const language = session.language;
    if (hotkey) {
      const lines = inLanguage(HOTKEYS, language)
        .split('\n')
        .map((line) => `  ${line}`);
      return { sections: [{ name: 'keys', title: text('Keys', '快捷键'), lines }] };
    }
    if (param !== undefined) {
      return { sections: [parameterSection(registry, param.toUpperCase(), language)] };
    }
    const wanted = cmd ?? topic;
    const exact = wanted === undefined ? undefined : registry.find(wanted);
    if (exact) {
      const title = text(exact.path, exact.path);
      return { sections: [{ name: 'help', title, lines: commandHelp(exact, language) }] };
    }
    const listed = registry.commands.filter(
      (command) =>
        mayRun(session, command) && (wanted === undefined || command.path.split(' ').includes(wanted)),
    );
    if (wanted !== undefined && listed.length === 0) {
      throw new MmlError(1002, {
        command: wanted,
        hint: didYouMean(nearest(wanted, registry.paths()), 'HLP'),
      });
    }
    const lines = listed.map(
      (command) => `  ${padTo(command.path, 18)}${inLanguage(command.purpose, language)}`,
    );
    const verbs = [...new Set(listed.map((command) => command.verb))].filter((verb) => VERBS[verb]);
    const verbLines = verbs.map((verb) => `  ${padTo(verb, 18)}${inLanguage(VERBS[verb]!, language)}`);
    return {
      sections: [
        { name: 'verbs', title: text('Verbs', '动词'), lines: verbLines },
        { name: 'commands', title: text('Commands', '命令'), lines },
      ],
    };
  },
});

function parameterSection(registry: Registry, name: string, language: Language): Section {
  const lines = paramHelp(registry, name, language);
  if (lines.length === 0) {
    const names = new Set(registry.commands.flatMap((command) => Object.keys(command.params)));
    throw new MmlError(2001, { name, hint: didYouMean(nearest(name, names), 'HLP') });
  }
  return { name: 'help', title: text(name, name), lines };
}

/** The console itself: LST/RMV/SET SESSION, HLP, LGO. */
export const sessionCommands: readonly Command[] = [listSessions, removeSession, setSession, logOut, help];
