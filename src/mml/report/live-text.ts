import type { ReportSpec, Row, Section } from '../registry/command.js';
import type { ProductName } from '../session/session-state.js';
import { inLanguage, type Language } from '../text.js';
import { formatCell } from './cells.js';
import { jsonReport } from './json-report.js';
import { displayWidth, tableLine, titleLines } from './layout.js';
import type { Outcome } from './outcome.js';
import { END_LINE, headLines, resultCount, textReport } from './text-report.js';

/** A cell wider than this moves what follows it instead of widening its column for good. */
const MAX_COLUMN_WIDTH = 40;

export interface LiveTextOptions {
  readonly product: ProductName;
  readonly language: Language;
  readonly format: 'TEXT' | 'JSON';
}

/**
 * Writes one report that goes on, part by part, where nothing can be taken back: scripts, JSON, logs. What is watched is
 * one whole report after another; what is followed is one report that grows; in JSON each part is an object.
 */
export class LiveText {
  private table: GrowingTable | undefined;
  /** A part was written. */
  isBegun = false;

  constructor(private readonly options: LiveTextOptions) {}

  /** The lines of a part, those between reports included. */
  part(outcome: Outcome): string[] {
    this.isBegun = true;
    const { product, language, format } = this.options;
    if (format === 'JSON') return [jsonReport(outcome, language)];
    if (outcome.live?.kind === 'watch') return [...textReport(outcome, product, language), ''];
    const [section] = outcome.sections;
    if (!section || !('report' in section)) return [];
    if (this.table) return this.table.lines(section);
    this.table = new GrowingTable(section.report, language);
    return [
      ...headLines(outcome, product, language),
      ...titleLines(inLanguage(section.report.title, language)),
      ...this.table.headed(section),
    ];
  }

  /** The lines that end it: the foot of what was followed; the whole report of what has failed. */
  end(outcome: Outcome): string[] {
    const { product, language, format } = this.options;
    if (format === 'JSON') return [jsonReport(outcome, language)];
    const foot = this.table ? [resultCount(this.table.count, language), '', END_LINE, ''] : [];
    return outcome.live ? foot : [...foot, ...textReport(outcome, product, language), ''];
  }
}

type Rows = Extract<Section, { report: unknown }>;

/** A table of which more rows will come: its columns only grow. */
class GrowingTable {
  private readonly widths: number[];
  count = 0;

  constructor(
    private readonly report: ReportSpec,
    private readonly language: Language,
  ) {
    this.widths = report.columns.map((column) => displayWidth(inLanguage(column.title, language)));
  }

  headed(section: Rows): string[] {
    const rows = this.lines(section);
    const titles = this.report.columns.map((column) => inLanguage(column.title, this.language));
    return [tableLine(titles, this.widths), ...rows];
  }

  lines({ rows, note }: Rows): string[] {
    const cells = rows.map((row) => this.cells(row));
    for (const row of cells) {
      for (const [i, cell] of row.entries())
        this.widths[i] = Math.max(this.widths[i]!, Math.min(MAX_COLUMN_WIDTH, displayWidth(cell)));
    }
    this.count += rows.length;
    const lines = cells.map((row) => tableLine(row, this.widths));
    return note ? [...lines, `  (${inLanguage(note, this.language)})`] : lines;
  }

  private cells(row: Row): string[] {
    return this.report.columns.map((column) => formatCell(row[column.key], column, this.language));
  }
}
