import { alarmEvent } from '../../alarms/alarm-event.js';
import { ALARMS, SEVERITIES } from '../../alarms/catalogue.js';
import type { Alarm, AlarmChange } from '../../alarms/types.js';
import type { ProductName, SessionState } from '../session/session-state.js';
import { type Bilingual, fillBilingual, inLanguage, type Language, text } from '../text.js';
import { localTime } from './cells.js';
import { fieldLines, titleLines } from './layout.js';
import { printable } from './printable.js';
import { END_LINE, headLine } from './text-report.js';

const FIELDS = {
  subject: text('Subject', '对象'),
  detail: text('Detail', '详情'),
  first: text('First raised', '首次发生'),
  times: text('Times', '次数'),
  cleared: text('Cleared', '清除时间'),
  by: text('Cleared by', '清除者'),
  remedy: text('What to do', '处理建议'),
} as const satisfies Record<string, Bilingual>;

/** An alarm that a session prints without being asked: a frame of its own, or one JSON object on one line. */
export function alarmNotice(
  change: AlarmChange,
  product: ProductName,
  { format, language }: Pick<SessionState, 'format' | 'language'>,
): string {
  if (format === 'JSON') return `${JSON.stringify({ alarm: alarmEvent(change) })}\r\n`;
  const { kind, alarm } = change;
  const at = kind === 'raised' ? alarm.lastAt : (alarm.clearedAt ?? alarm.lastAt);
  const lines = [
    '',
    headLine(product, at),
    `ALARM  #${alarm.id}  ${kind.toUpperCase()}  ${alarm.severity}  ${alarm.name}`,
    '',
    ...titleLines(inLanguage(ALARMS[alarm.name].title, language)),
    ...fieldLines(fieldsOf(change, language)),
    '',
    END_LINE,
    '',
  ];
  return lines.map((line) => `${line}\r\n`).join('');
}

function fieldsOf({ kind, alarm }: AlarmChange, language: Language): [string, string][] {
  const { subject, detail, firstAt, count, clearedAt, clearedBy } = alarm;
  const named = (name: keyof typeof FIELDS, value: string): [string, string] => [
    inLanguage(FIELDS[name], language),
    value === '' ? '-' : printable(value),
  ];
  const both = [named('subject', subject), named('detail', detail), named('first', localTime(firstAt))];
  if (kind === 'raised') return [...both, named('remedy', inLanguage(ALARMS[alarm.name].remedy, language))];
  return [
    ...both,
    named('times', String(count)),
    named('cleared', localTime(clearedAt ?? firstAt)),
    named('by', clearedBy ?? ''),
  ];
}

/** Said when too many alarms came while a report stood. */
export function lostNotice(count: number, language: Language): string {
  const said = text(
    '{count} more alarms came meanwhile: see LST ALARM',
    '期间另有 {count} 条告警：请查看 LST ALARM',
  );
  return `${inLanguage(fillBilingual(said, { count }), language)}\r\n\r\n`;
}

const NONE = text('No alarm is active.', '当前无告警。');
const SOME = text(
  'Active alarms: {count} ({severities}). LST ALARM shows them.',
  '当前告警：{count}（{severities}）。请查看 LST ALARM。',
);

/** How many alarms are active, for the banner. */
export function alarmCount(active: readonly Alarm[], language: Language): string {
  if (active.length === 0) return inLanguage(NONE, language);
  const severities = SEVERITIES.flatMap((severity) => {
    const count = active.filter((alarm) => alarm.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  }).join(', ');
  return inLanguage(fillBilingual(SOME, { count: active.length, severities }), language);
}
