/** C0 and C1 controls, line and paragraph separators, bidirectional overrides: what could move a terminal's cursor or end a line. */
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/**
 * Makes text from anywhere (a phone's User-Agent, a name) safe for one line of a report: controls become a middle dot,
 * so nothing stored can forge a line, a frame or an escape sequence.
 */
export function printable(value: string): string {
  return value.replace(UNPRINTABLE, '·');
}
