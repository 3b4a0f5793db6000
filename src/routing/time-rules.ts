import type { NumberEntry, TimeRule } from './types.js';

const DAYS: readonly string[] = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];
/** Making a format costs much more than using it; zones are few, for they come from the table of numbers. */
const formats = new Map<string, Intl.DateTimeFormat>();
const MAX_FORMATS = 500;

/** The first rule that holds at that time. */
export function ruleAt(entry: NumberEntry, now: number): TimeRule | undefined {
  return entry.rules.find((rule) => holds(rule, now));
}

/** Whether a rule holds. Hours that end before they begin reach into the next day. */
function holds({ days, from, until, zone }: TimeRule, now: number): boolean {
  const at = localTime(now, zone);
  if (!at) return false;
  const { day, minute } = at;
  if (from < until) return days.includes(day) && minute >= from && minute < until;
  const dayBefore = day === 1 ? 7 : day - 1;
  return (days.includes(day) && minute >= from) || (days.includes(dayBefore) && minute < until);
}

/** Day of the week, 1 Monday to 7 Sunday, and minute of the day in a zone; undefined for a zone that is not known. */
export function localTime(now: number, zone: string): { day: number; minute: number } | undefined {
  const parts = formatOf(zone)?.formatToParts(now) ?? [];
  const part = (type: string): string => parts.find((one) => one.type === type)?.value ?? '';
  const day = DAYS.indexOf(part('weekday')) + 1;
  return day === 0 ? undefined : { day, minute: Number(part('hour')) * 60 + Number(part('minute')) };
}

/** Whether a time zone of that name is known. */
export function isZone(zone: string): boolean {
  return formatOf(zone) !== undefined;
}

function formatOf(zone: string): Intl.DateTimeFormat | undefined {
  const known = formats.get(zone);
  if (known) return known;
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    if (formats.size < MAX_FORMATS) formats.set(zone, format);
    return format;
  } catch {
    return undefined;
  }
}
