import type { LogLine, LogQuery } from '../../platform/log-lines.js';
import { LOG_LEVELS } from '../../platform/logger.js';
import { MAX_ROWS } from '../limits.js';
import { type Command, defineCommand, type ReportSpec, type Row } from '../registry/command.js';
import { datetime } from '../registry/date-range.js';
import type { LiveReport } from '../registry/live-report.js';
import { boolean, flag, number, oneOf, string } from '../registry/param-types.js';
import type { Services } from '../services.js';
import { text } from '../text.js';

const levelReport: ReportSpec = {
  name: 'logLevels',
  title: text('Log levels', '日志级别'),
  layout: 'table',
  columns: [
    { key: 'module', title: text('Module', '模块') },
    { key: 'level', title: text('Level', '级别') },
  ],
};

const lineReport: ReportSpec = {
  name: 'logLines',
  title: text('Log', '日志'),
  layout: 'table',
  columns: [
    { key: 'at', title: text('Time', '时间'), format: 'time' },
    { key: 'level', title: text('Level', '级别') },
    { key: 'module', title: text('Module', '模块') },
    { key: 'message', title: text('Message', '内容') },
    { key: 'facts', title: text('Facts', '详情') },
  ],
};

const suggestModules = async (services: Services) =>
  Object.keys(services.logs.levels()).filter((module) => module !== '*');

const setLog = defineCommand({
  verb: 'SET',
  object: 'LOG',
  aliases: ['SET LOGLEVEL'],
  purpose: text(
    'Set the log level, of one module or of all, until the next start; SAV CFG keeps that of all',
    '设置日志级别（单个模块或全部），下次启动前有效；SAV CFG 可保存全局级别',
  ),
  params: {
    LEVEL: { type: oneOf(LOG_LEVELS), purpose: text('Level', '级别'), required: true, example: 'DEBUG' },
    MODULE: {
      type: string({ max: 40 }),
      purpose: text('Module; all that have no level of their own when absent', '模块；缺省为全部'),
      example: 'call',
      suggest: suggestModules,
    },
  },
  reports: [levelReport],
  examples: ['SET LOG: LEVEL=DEBUG, MODULE=call', 'SET LOGLEVEL LEVEL=INFO'],
  async handler({ services }, { LEVEL: level, MODULE: module }) {
    await services.logs.setLevel(level, module);
    return { sections: [{ report: levelReport, rows: levelRows(services.logs.levels()) }] };
  },
});

const displayLogLevels = defineCommand({
  verb: 'DSP',
  object: 'LOG',
  variant: 'CFG',
  aliases: ['DSP LOGLEVEL'],
  purpose: text('Show the log levels', '查询日志级别'),
  params: {},
  reports: [levelReport],
  examples: ['DSP LOG CFG'],
  handler: ({ services }) => ({
    sections: [{ report: levelReport, rows: levelRows(services.logs.levels()) }],
  }),
});

const levelRows = (levels: Readonly<Record<string, string>>) =>
  Object.entries(levels).map(([module, level]) => ({ module, level }));

const displayLog = defineCommand({
  verb: 'DSP',
  object: 'LOG',
  purpose: text(
    'Show the newest lines of the log, of which the server keeps some thousands in memory, or follow it',
    '查询最近的日志（服务器内存中保留最近数千行），或持续跟踪',
  ),
  params: {
    LINES: { type: number(1, MAX_ROWS), purpose: text('Lines to print', '显示行数'), default: '50' },
    KEYWORD: { type: string(), purpose: text('Part of the line', '日志中的文字'), example: 'failed' },
    CALLID: {
      type: string(),
      purpose: text(
        'Lines of a call: its SIP Call-ID, or as DSP CALL shows it',
        '某次呼叫的日志：SIP Call-ID 或呼叫号',
      ),
      example: '"a84b4c76e66710@pc33"',
    },
    LEVEL: {
      type: oneOf(LOG_LEVELS.slice(1)),
      purpose: text('This level and worse', '该级别及更严重的'),
      example: 'WARN',
    },
    MODULE: {
      type: string({ max: 40 }),
      purpose: text('Module', '模块'),
      example: 'call',
      suggest: suggestModules,
    },
    FOLLOW: {
      type: boolean,
      purpose: text('Go on with the lines that come, until Ctrl-C', '持续显示新日志，Ctrl-C 结束'),
      default: 'NO',
    },
    RECENT: { type: flag('RECENT'), purpose: text('The newest lines', '最近的日志'), keyword: true },
    SEARCH: { type: flag('SEARCH'), purpose: text('Those with KEYWORD=', '由 KEYWORD= 指定'), keyword: true },
  },
  role: 'OPERATOR',
  reports: [lineReport],
  examples: [
    'DSP LOG',
    'DSP LOG: LINES=100, LEVEL=WARN',
    'DSP LOG: CALLID="a84b4c76e66710@pc33"',
    'DSP LOG SEARCH KEYWORD=failed',
    'DSP LOG: FOLLOW=YES, LEVEL=WARN',
  ],
  handler(
    { services },
    { LINES: limit, KEYWORD: keyword, CALLID: callId, LEVEL: level, MODULE: module, FOLLOW: isFollowed },
  ) {
    const names = new Set<string>();
    const query = (): LogQuery => {
      // A call gets legs while it is followed; those of a call that has ended are still asked for.
      if (callId !== undefined) for (const name of namesOfCall(services, callId)) names.add(name);
      return {
        limit,
        ...(keyword !== undefined && { keyword }),
        ...(callId !== undefined && { anyOf: [...names] }),
        ...(level !== undefined && { level }),
        ...(module !== undefined && { module }),
      };
    };
    if (isFollowed) return { live: followed(services, query) };
    return { sections: [{ report: lineReport, rows: services.logs.find(query()).map(lineRow) }] };
  },
});

function followed(services: Services, query: () => LogQuery): LiveReport {
  return {
    kind: 'follow',
    async *parts(signal) {
      for await (const { lines, missed } of services.logs.follow(query, signal)) {
        const note = text(`${missed} lines left out: they came too fast`, `略去 ${missed} 行：日志产生过快`);
        yield { sections: [{ report: lineReport, rows: lines.map(lineRow), ...(missed > 0 && { note }) }] };
      }
    },
  };
}

/** A live call is found by its id and by the Call-IDs of all its legs; of others the text alone is known. */
function namesOfCall(services: Services, wanted: string): string[] {
  const call = services.calls.list().find(({ id, callId }) => id === wanted || callId === wanted);
  if (!call) return [wanted];
  const timeline = services.calls.get(call.id)?.timeline ?? [];
  const legs = timeline.flatMap(({ event }) =>
    event.kind === 'attempt' && event.callId ? [event.callId] : [],
  );
  return [...new Set([wanted, call.id, call.callId, ...legs])];
}

const lineRow = (line: LogLine): Row => ({ ...line });

const clearLog = defineCommand({
  verb: 'CLR',
  object: 'LOG',
  purpose: text(
    'Forget log lines kept in memory; what was written to standard error or files stays',
    '清除内存中的日志；已写出的日志不受影响',
  ),
  params: {
    BEFORE: {
      type: datetime,
      purpose: text('Those written before; all when absent', '此时间之前的；缺省为全部'),
      example: '2026-11-20',
    },
  },
  dangerous: text('DSP LOG will not show these lines any more.', 'DSP LOG 将不再显示这些日志。'),
  examples: ['CLR LOG: CONFIRM=YES', 'CLR LOG BEFORE=2026-11-20 CONFIRM=YES'],
  handler({ services }, { BEFORE: before }) {
    const count = services.logs.clear(before ?? Number.POSITIVE_INFINITY);
    return { note: text(`Lines forgotten: ${count}`, `已清除：${count} 行`) };
  },
});

/** The log: SET LOG, DSP LOG, DSP LOG CFG, CLR LOG. */
export const logCommands: readonly Command[] = [setLog, displayLog, displayLogLevels, clearLog];
