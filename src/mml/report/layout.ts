import stringWidth from 'string-width';

/** Columns that a text takes on a terminal; East Asian wide characters take two. */
export function displayWidth(value: string): number {
  // Plain ASCII is nearly everything; measuring it by its length saves most of a long report.
  return /^[\x20-\x7e]*$/.test(value) ? value.length : stringWidth(value);
}

/** Pads to `width` columns. */
export function padTo(value: string, width: number, side: 'left' | 'right' = 'right'): string {
  const fill = ' '.repeat(Math.max(0, width - displayWidth(value)));
  return side === 'left' ? fill + value : value + fill;
}

/** `name  =  value` lines, the names padded to the widest. */
export function fieldLines(fields: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...fields.map(([name]) => displayWidth(name)));
  return fields.map(([name, value]) => `  ${padTo(name, width)}  =  ${value}`);
}

/** A table with a heading line; `numeric` columns are flush right. */
export function tableLines(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  numeric: readonly boolean[] = [],
): string[] {
  const widths = headings.map((heading, i) =>
    rows.reduce((widest, row) => Math.max(widest, displayWidth(row[i] ?? '')), displayWidth(heading)),
  );
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => padTo(cell, widths[i]!, numeric[i] ? 'left' : 'right')).join('  ')}`.trimEnd();
  return [line(headings), ...rows.map(line)];
}

/** A title with a line of dashes as wide as it is. */
export function titleLines(title: string): string[] {
  return [title, '-'.repeat(displayWidth(title))];
}
