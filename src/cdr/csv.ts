/** A number with or without sign: a spreadsheet shows it, and runs nothing. */
const PLAIN_NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
/** A spreadsheet takes what begins so for a formula. */
const FORMULA_START = /^[=+\-@\t\r]/;

/**
 * One CSV field (RFC 4180 §2), on one line always: control characters become spaces, so that one record is one line for
 * every script. What a spreadsheet would run as a formula gets an apostrophe in front.
 */
export function csvField(value: string | number | undefined): string {
  if (value === undefined) return '';
  const text = String(value);
  const safe = FORMULA_START.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;
  const line = safe.replace(/\r\n|[\u0000-\u001f\u007f\u0085\u2028\u2029]/g, ' ');
  return /[",\s]/.test(line) ? `"${line.replaceAll('"', '""')}"` : line;
}

/** One CSV line with its CRLF. */
export function csvLine(values: readonly (string | number | undefined)[]): string {
  return `${values.map(csvField).join(',')}\r\n`;
}
