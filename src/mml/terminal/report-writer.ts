import { jsonReport } from '../report/json-report.js';
import { LiveText } from '../report/live-text.js';
import type { Outcome } from '../report/outcome.js';
import { textReport } from '../report/text-report.js';
import type { ProductName, SessionState } from '../session/session-state.js';
import type { Key } from './key-decoder.js';
import { LiveScreen } from './live-screen.js';
import { page } from './pager.js';
import type { TerminalPort } from './terminal-port.js';

const WRITE_CHARS = 65_536;

export interface ReportWriterOptions {
  readonly port: TerminalPort;
  readonly product: ProductName;
  readonly nextKey: () => Promise<Key | undefined>;
}

/** Prints reports at one connection: by pages on a terminal, whole elsewhere, and part by part those that go on. */
export class ReportWriter {
  /** The report that goes on at present, in the form it is printed in. */
  private live: LiveText | LiveScreen | undefined;
  private stopped = false;

  constructor(private readonly options: ReportWriterOptions) {}

  /** Prints nothing more. */
  stop(): void {
    this.stopped = true;
  }

  /** Prints a report, or ends one that went on. Resolves when the client has read it. */
  async show(state: SessionState, outcome: Outcome): Promise<void> {
    if (this.stopped) return;
    const { port } = this.options;
    const { live } = this;
    this.live = undefined;
    if (live instanceof LiveText) await this.writeLines(live.end(outcome));
    else {
      live?.end();
      // One that was ended before its first part still has its frame.
      if (!outcome.live?.part) await this.whole(state, outcome);
    }
    await port.drained();
  }

  /** Prints a part of a report that goes on. Resolves when the client has read it. */
  async part(state: SessionState, outcome: Outcome): Promise<void> {
    if (this.stopped) return;
    const { port, product } = this.options;
    const { format, language } = state;
    const isRedrawn = format === 'TEXT' && outcome.live?.kind === 'watch' && port.isTerminal();
    this.live ??= isRedrawn ? new LiveScreen(port, language) : new LiveText({ product, language, format });
    if (this.live instanceof LiveScreen) this.live.draw(textReport(outcome, product, language));
    else await this.writeLines(this.live.part(outcome));
    await port.drained();
  }

  private async whole(state: SessionState, outcome: Outcome): Promise<void> {
    const { port, product, nextKey } = this.options;
    if (state.format === 'JSON') return this.writeLines([jsonReport(outcome, state.language)]);
    const lines = [...textReport(outcome, product, state.language), ''];
    const pageLines = state.pageLines ?? port.rows();
    if (port.isTerminal() && pageLines > 0) await page(lines, pageLines, port, nextKey);
    else await this.writeLines(lines);
  }

  /** Writes lines no faster than the client reads them. */
  private async writeLines(lines: readonly string[]): Promise<void> {
    const value = lines.map((line) => `${line}\r\n`).join('');
    for (let from = 0; from < value.length && !this.stopped; ) {
      let to = Math.min(value.length, from + WRITE_CHARS);
      // A pair of surrogates is one character and must go out in one piece.
      if (/[\ud800-\udbff]/.test(value[to - 1]!)) to++;
      this.options.port.write(value.slice(from, to));
      await this.options.port.drained();
      from = to;
    }
  }
}
