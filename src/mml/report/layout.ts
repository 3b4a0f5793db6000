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
  return [headings, ...rows].map((cells) => tableLine(cells, widths, numeric));
}

/** One line of a table whose columns have these widths; a wider cell moves what follows it. */
export function tableLine(
  cells: readonly string[],
  widths: readonly number[],
  numeric: readonly boolean[] = [],
): string {
  const padded = cells.map((cell, i) => padTo(cell, widths[i]!, numeric[i] ? 'left' : 'right'));
  return `  ${padded.join('  ')}`.trimEnd();
}

/** As much of the value as goes into `width` columns. */
export function cutTo(value: string, width: number): string {
  if (displayWidth(value) <= width) return value;
  let cut = '';
  let left = width;
  for (const { segment } of new Intl.Segmenter('en').segment(value)) {
    left -= displayWidth(segment);
    if (left < 0) break;
    cut += segment;
  }
  return cut;
}

/** A title with a line of dashes as wide as it is. */
export function titleLines(title: string): string[] {
  return [title, '-'.repeat(displayWidth(title))];
}
