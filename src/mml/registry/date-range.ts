import { text } from '../text.js';
import { type ParamType, ValueProblem } from './command.js';

/** From (inclusive) to (exclusive), wall milliseconds. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

const WORDS = ['TODAY', 'YESTERDAY'];

/**
 * A day, a month or a range in the server's own time zone: `TODAY`, `YESTERDAY`, `2026-11-20`, `2026-11`,
 * `"2026-11-20 08:00"`, and two of them joined by `&` or `..`: `2026-11-01..2026-11-20`, both ends included.
 */
export const dateRange: ParamType<TimeRange> = {
  name: text('date or range', '日期或范围'),
  allowed: text(
    'TODAY, YESTERDAY, 2026-11-20, 2026-11, or a range 2026-11-01..2026-11-20',
    ' TODAY、YESTERDAY、2026-11-20、2026-11 或范围 2026-11-01..2026-11-20',
  ),
  values: WORDS,
  parse(value, env) {
    const ends = value.text.split(/\s*(?:\.\.|&)\s*/);
    if (ends.length > 2) throw new ValueProblem('invalid');
    const first = parseMoment(ends[0]!, env.now);
    const last = ends.length === 2 ? parseMoment(ends[1]!, env.now) : first;
    if (last.to <= first.from) throw new ValueProblem('range');
    return { from: first.from, to: last.to };
  },
};

/** One moment, to the minute or second: the start of what is written. */
export const datetime: ParamType<number> = {
  name: text('date and time', '日期时间'),
  allowed: text(
    'TODAY, YESTERDAY, 2026-11-20 or "2026-11-20 08:00:00"',
    ' TODAY、YESTERDAY、2026-11-20 或 "2026-11-20 08:00:00"',
  ),
  values: WORDS,
  parse: (value, env) => parseMoment(value.text, env.now).from,
};

/** What one written date covers: a month, a day, a minute or a second. */
function parseMoment(written: string, now: number): TimeRange {
  const today = new Date(now);
  const [year, month, day] = [today.getFullYear(), today.getMonth(), today.getDate()];
  if (written.toUpperCase() === 'TODAY') return span(year, month, day, 1);
  if (written.toUpperCase() === 'YESTERDAY') return span(year, month, day - 1, 1);
  const match = /^(\d{4})-?(\d{2})(?:-?(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?)?)?$/.exec(written);
  if (!match) throw new ValueProblem('invalid');
  const fields = match.slice(1).map((field) => (field === undefined ? undefined : Number(field)));
  return calendar(fields);
}

function calendar([y, mo, d, h, mi, s]: readonly (number | undefined)[]): TimeRange {
  const month = mo! - 1;
  const from = new Date(y!, month, d ?? 1, h ?? 0, mi ?? 0, s ?? 0);
  const isReal = from.getMonth() === month && from.getDate() === (d ?? 1) && (h ?? 0) < 24;
  if (!isReal || (mi ?? 0) > 59 || (s ?? 0) > 59) throw new ValueProblem('invalid');
  if (d === undefined) return { from: from.getTime(), to: new Date(y!, month + 1, 1).getTime() };
  if (h === undefined) return span(y!, month, d, 1);
  return { from: from.getTime(), to: from.getTime() + (s === undefined ? 60_000 : 1000) };
}

/** Whole days by the calendar, so that days of 23 and 25 hours are whole too. */
function span(year: number, month: number, day: number, days: number): TimeRange {
  return { from: new Date(year, month, day).getTime(), to: new Date(year, month, day + days).getTime() };
}
