import { ALARM_NAMES, ALARMS, SEVERITIES } from '../../alarms/catalogue.js';
import type { Alarm, AlarmFilter } from '../../alarms/types.js';
import { MmlError } from '../errors.js';
import { DEFAULT_ROWS, MAX_ROWS } from '../limits.js';
import { type Command, defineCommand, type ReportSpec, type Row, type Section } from '../registry/command.js';
import { dateRange } from '../registry/date-range.js';
import { flag, number, oneOf, string } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import { inLanguage, type Language, text } from '../text.js';

const COLUMNS = [
  { key: 'id', title: text('Alarm', '告警号') },
  { key: 'severity', title: text('Severity', '级别') },
  { key: 'name', title: text('Name', '名称') },
  { key: 'subject', title: text('Subject', '对象') },
  { key: 'detail', title: text('Detail', '详情') },
  { key: 'firstAt', title: text('First raised', '首次发生'), format: 'time' },
  { key: 'lastAt', title: text('Last raised', '最近发生'), format: 'time' },
  { key: 'count', title: text('Times', '次数') },
] as const;

const ENDING = [
  { key: 'clearedAt', title: text('Cleared', '清除时间'), format: 'time' },
  { key: 'clearedBy', title: text('Cleared by', '清除者') },
] as const;

const activeReport: ReportSpec = {
  name: 'alarms',
  title: text('Active alarms', '当前告警'),
  layout: 'table',
  columns: COLUMNS,
};

const historyReport: ReportSpec = {
  name: 'alarmHistory',
  title: text('Alarm history', '历史告警'),
  layout: 'table',
  columns: [...COLUMNS, ...ENDING],
};

const clearedReport: ReportSpec = {
  ...historyReport,
  name: 'clearedAlarms',
  title: text('Cleared alarms', '已清除的告警'),
};

const detailReport: ReportSpec = {
  name: 'alarm',
  title: text('Alarm', '告警'),
  columns: [
    ...COLUMNS,
    ...ENDING,
    { key: 'meaning', title: text('Meaning', '含义') },
    { key: 'cause', title: text('Cause', '原因') },
    { key: 'remedy', title: text('What to do', '处理建议') },
  ],
};

const filterParams = {
  NAME: { type: oneOf(ALARM_NAMES), purpose: text('Name of the alarm', '告警名称'), example: 'TRUNK_DOWN' },
  SEVERITY: {
    type: oneOf(SEVERITIES),
    purpose: text('This severity and worse', '该级别及更严重的'),
    example: 'MAJOR',
  },
  SUBJECT: {
    type: string(),
    purpose: text('What it is about: a trunk, an address', '对象：中继、地址等'),
    example: 'carrier1',
  },
} as const;

const listAlarms = defineCommand({
  verb: 'LST',
  object: 'ALARM',
  aliases: ['DSP ALARM'],
  purpose: text('List active alarms, worst first; past ones with HISTORY', '查询当前告警或历史告警'),
  params: {
    ID: {
      type: number(1, 1e9),
      purpose: text('One alarm in full, with its cause and what to do', '查看一条告警的详情、原因和处理建议'),
      example: '17',
    },
    ACTIVE: { type: flag('ACTIVE'), purpose: text('Active alarms', '当前告警'), keyword: true },
    HISTORY: {
      type: flag('HISTORY'),
      purpose: text('Alarms that are over, newest first', '历史告警，最近的在前'),
      keyword: true,
    },
    ...filterParams,
    DATE: {
      type: dateRange,
      purpose: text('When they were first raised', '首次发生的日期'),
      example: '2026-11-01..2026-11-20',
    },
    WATCH,
    LIMIT: {
      type: number(1, MAX_ROWS),
      purpose: text('Rows to print', '显示行数'),
      default: `${DEFAULT_ROWS}`,
    },
  },
  excludes: [['ACTIVE', 'HISTORY']],
  reports: [activeReport, historyReport, detailReport],
  examples: ['LST ALARM', 'LST ALARM: HISTORY, DATE=TODAY', 'LST ALARM: SEVERITY=MAJOR', 'LST ALARM: ID=17'],
  handler({ services, session }, { ID: id, HISTORY: isHistory, DATE: date, LIMIT: limit, ...filter }) {
    if (id !== undefined)
      return { sections: [detailSection(services.alarms.find(id), id, session.language)] };
    const wanted = toFilter(filter);
    if (isHistory) {
      const rows = services.alarms.history({ ...wanted, ...date, limit }).map(rowOf);
      return { sections: [{ report: historyReport, rows }] };
    }
    const isInRange = ({ firstAt }: Alarm) => !date || (firstAt >= date.from && firstAt < date.to);
    const rows = services.alarms.active(wanted).filter(isInRange).slice(0, limit).map(rowOf);
    return { sections: [{ report: activeReport, rows }] };
  },
});

const clearAlarm = defineCommand({
  verb: 'CLR',
  object: 'ALARM',
  purpose: text(
    'End alarms by hand; what is still wrong raises them again',
    '手动清除告警；故障仍存在时会再次产生',
  ),
  params: {
    ID: { type: number(1, 1e9), purpose: text('Alarm number', '告警号'), example: '17' },
    NAME: filterParams.NAME,
    SUBJECT: filterParams.SUBJECT,
    ALL: { type: flag('ALL'), purpose: text('All active alarms', '全部当前告警'), keyword: true },
  },
  oneOf: [['ID', 'NAME', 'ALL']],
  excludes: [
    ['ID', 'NAME'],
    ['ID', 'ALL'],
    ['NAME', 'ALL'],
  ],
  reports: [clearedReport],
  examples: ['CLR ALARM: ID=17', 'CLR ALARM: NAME=CLOCK_JUMP', 'CLR ALARM ALL'],
  handler({ services, session }, { ID: id, NAME, SUBJECT }) {
    const { alarms } = services;
    const chosen =
      id === undefined ? alarms.active(toFilter({ NAME, SUBJECT })).map((alarm) => alarm.id) : [id];
    const cleared = chosen.map((one) => alarms.clearById(one, session.operator));
    if (id !== undefined && cleared[0] === undefined) throw unknownAlarm(id);
    const rows = cleared.filter((alarm) => alarm !== undefined).map(rowOf);
    return { sections: [{ report: clearedReport, rows }] };
  },
});

function toFilter(given: {
  NAME?: AlarmFilter['name'];
  SEVERITY?: AlarmFilter['severity'];
  SUBJECT?: string | undefined;
}): AlarmFilter {
  const { NAME, SEVERITY, SUBJECT } = given;
  return {
    ...(NAME !== undefined && { name: NAME }),
    ...(SEVERITY !== undefined && { severity: SEVERITY }),
    ...(SUBJECT !== undefined && { subject: SUBJECT }),
  };
}

function detailSection(alarm: Alarm | undefined, id: number, language: Language): Section {
  if (!alarm) throw unknownAlarm(id);
  const { title, cause, remedy } = ALARMS[alarm.name];
  const meaning = inLanguage(title, language);
  const words = { meaning, cause: inLanguage(cause, language), remedy: inLanguage(remedy, language) };
  return { report: detailReport, rows: [{ ...rowOf(alarm), ...words }] };
}

function unknownAlarm(id: number): MmlError {
  const hint = text('See LST ALARM', '请查看 LST ALARM');
  return new MmlError(4001, { what: text('alarm', '告警'), name: id, hint });
}

/** An alarm as reports show it. */
function rowOf(alarm: Alarm): Row {
  const { id, severity, name, subject, detail, firstAt, lastAt, count, clearedAt, clearedBy } = alarm;
  return { id, severity, name, subject, detail, firstAt, lastAt, count, clearedAt, clearedBy };
}

/** LST and CLR ALARM. */
export const alarmCommands: readonly Command[] = [listAlarms, clearAlarm];
