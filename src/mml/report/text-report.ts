import type { Column, Line, Row, Section } from '../registry/command.js';
import type { ProductName } from '../session/session-state.js';
import { inLanguage, type Language, text } from '../text.js';
import { formatCell, localTime } from './cells.js';
import { displayWidth, fieldLines, padTo, tableLines, titleLines } from './layout.js';
import type { Outcome } from './outcome.js';
import { printable } from './printable.js';

/** The last line of every report; scripts wait for it. */
export const END_LINE = '---    END';

const PRODUCT_WIDTH = 23;
const RESULTS = text('Number of results', '结果个数');

/** The report of a command as lines, from `+++` to `---    END`, without line ends. */
export function textReport(outcome: Outcome, product: ProductName, language: Language): string[] {
  return [
    ...headLines(outcome, product, language),
    ...outcome.sections.flatMap((section) => [...sectionLines(section, language), '']),
    END_LINE,
  ];
}

/** The lines before the first part of a report: product and time, number, command, RETCODE. */
export function headLines(outcome: Outcome, product: ProductName, language: Language): string[] {
  return [
    headLine(product, outcome.at),
    `O&M    #${outcome.serial}`,
    `%%${printable(outcome.echo)};%%`,
    `RETCODE = ${outcome.retcode}  ${printable(inLanguage(outcome.sentence, language))}`,
    '',
  ];
}

/** The first line of every report: who prints it, and when. */
export function headLine(product: ProductName, at: number): string {
  const name = `${product.name}/${product.instance ?? '1'}`;
  return `+++    ${padTo(name, Math.max(PRODUCT_WIDTH, displayWidth(name) + 4))}${localTime(at)}`;
}

/** One part of a report: title, fields or table or free lines, count. */
export function sectionLines(section: Section, language: Language): string[] {
  if (!('report' in section)) {
    return [
      ...titleLines(inLanguage(section.title, language)),
      ...section.lines.map((line) => lineText(line, language)),
    ];
  }
  const { report, rows } = section;
  const asFields = rows.length === 1 && report.layout !== 'table';
  return [
    ...titleLines(inLanguage(report.title, language)),
    ...(asFields ? fields(section, rows[0]!, language) : table(section, language)),
    resultCount(rows.length, language),
    ...(section.note ? [inLanguage(section.note, language)] : []),
  ];
}

function lineText(line: Line, language: Language): string {
  return printable(typeof line === 'string' ? line : inLanguage(line, language));
}

/** `(Number of results = 3)`. */
export function resultCount(count: number, language: Language): string {
  return `(${inLanguage(RESULTS, language)} = ${count})`;
}

type Rows = Extract<Section, { report: unknown }>;

function fields({ report }: Rows, row: Row, language: Language): string[] {
  return fieldLines(
    report.columns.map((column) => [
      inLanguage(column.title, language),
      formatCell(row[column.key], column, language),
    ]),
  );
}

function table({ report, rows }: Rows, language: Language): string[] {
  if (rows.length === 0) return [];
  const { columns } = report;
  return tableLines(
    columns.map((column) => inLanguage(column.title, language)),
    rows.map((row) => columns.map((column) => formatCell(row[column.key], column, language))),
    columns.map((column) => !isFlushLeft(column) && rows.some((row) => typeof row[column.key] === 'number')),
  );
}

const isFlushLeft = ({ format }: Column) => format === 'time' || format === 'bar';
