const formatters = new Map<string, Intl.DateTimeFormat>();
/** Zones remembered; an operator has one. */
const MAX_ZONES = 50;

/** Wall milliseconds as `date` YYYY-MM-DD and `time` HH:MM:SS in a zone (IANA name; the server's own when absent). */
export function localTime(wallMs: number, timeZone?: string): { date: string; time: string } {
  const parts = Object.fromEntries(
    formatter(timeZone)
      .formatToParts(wallMs)
      .map(({ type, value }) => [type, value]),
  );
  return {
    date: `${parts['year']}-${parts['month']}-${parts['day']}`,
    time: `${parts['hour']}:${parts['minute']}:${parts['second']}`,
  };
}

/** Throws RangeError for a zone that does not exist. */
function formatter(timeZone: string | undefined): Intl.DateTimeFormat {
  const key = timeZone ?? '';
  let found = formatters.get(key);
  if (!found) {
    if (formatters.size >= MAX_ZONES) formatters.clear();
    const two = '2-digit';
    found = new Intl.DateTimeFormat('en-GB', {
      ...(timeZone !== undefined && { timeZone }),
      hourCycle: 'h23',
      year: 'numeric',
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
    formatters.set(key, found);
  }
  return found;
}
