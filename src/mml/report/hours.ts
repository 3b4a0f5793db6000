import { WEEK } from '../registry/param-types.js';

/** Days of the week as a command takes them, 1 Monday to 7 Sunday: `SAT&SUN`. */
export function writeDays(days: readonly number[]): string {
  return days.map((day) => WEEK[day - 1]).join('&');
}

/** Minutes after midnight as a clock shows them, `08:05`. */
export function clockTime(minutes: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
