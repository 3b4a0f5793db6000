import type { ParamSpec } from '../registry/command.js';
import type { Outcome } from '../report/outcome.js';
import type { CommandExecutor } from '../session/command-executor.js';
import type { SessionState } from '../session/session-state.js';
import { type Bilingual, inLanguage } from '../text.js';
import type { Key } from './key-decoder.js';
import type { KeyQueue } from './key-queue.js';
import { readAnswer } from './line-reader.js';
import type { ReportWriter } from './report-writer.js';
import type { TerminalPort } from './terminal-port.js';

export interface ForegroundOptions {
  readonly executor: CommandExecutor;
  readonly port: TerminalPort;
  readonly keys: KeyQueue;
  readonly writer: ReportWriter;
  /** A report that went on has ended. */
  readonly onLiveEnd: () => void;
}

/** The command that runs at a connection at present: what it prints and asks meanwhile, and the keys that end it. */
export class ForegroundCommand {
  private running: AbortController | undefined;
  /** Parts printed of the report that goes on at present. */
  private liveParts: number | undefined;

  constructor(private readonly options: ForegroundOptions) {}

  /** Whether a report goes on. */
  get isLive(): boolean {
    return this.liveParts !== undefined;
  }

  /** Ends the command, if one runs. */
  abort(): void {
    this.running?.abort();
  }

  /**
   * Takes keys from the connection. Ctrl-C while a command runs ends the command and what was typed ahead. While a report
   * goes on, a terminal's other keys are dropped but for `q`, which ends it too; elsewhere the next line ends it and is
   * run then.
   */
  input(keys: readonly Key[]): void {
    const { port, keys: queue } = this.options;
    const isWatched = this.isLive && port.isTerminal();
    const endsAt = this.running
      ? keys.findLastIndex((key) => isInterrupt(key) || (isWatched && isQuit(key)))
      : -1;
    if (endsAt >= 0) {
      this.abort();
      queue.clear();
    }
    if (endsAt >= 0 || !isWatched) queue.push(keys.slice(endsAt + 1));
    this.endAtNextLine();
  }

  /** Runs a command; its report is still to be shown, but for the parts of one that goes on. */
  async run(state: SessionState, source: string): Promise<Outcome> {
    const { executor, port, onLiveEnd } = this.options;
    const controller = new AbortController();
    this.running = controller;
    this.noteColumns(state);
    try {
      return await executor.run(source, state, {
        signal: controller.signal,
        print: (part) => this.printPart(state, part),
        ...(port.isTerminal() && {
          ask: (question: Bilingual) => this.uninterrupted(() => this.confirm(state, question)),
          prompt: (name: string, spec: ParamSpec) => this.uninterrupted(() => this.askFor(state, name, spec)),
        }),
      });
    } finally {
      this.running = undefined;
      if (this.isLive) onLiveEnd();
      this.liveParts = undefined;
    }
  }

  private noteColumns(state: SessionState): void {
    const { port } = this.options;
    state.columns = port.isTerminal() ? port.columns() : undefined;
  }

  /** Prints a part of a report that goes on. */
  private async printPart(state: SessionState, part: Outcome): Promise<void> {
    this.liveParts ??= 0;
    await this.options.writer.part(state, part);
    this.liveParts++;
    this.noteColumns(state);
    this.endAtNextLine();
  }

  /** Without a terminal the next line ends a report that goes on, but not before its first part. */
  private endAtNextLine(): void {
    const { port, keys } = this.options;
    if (this.liveParts && !port.isTerminal() && keys.holdsLine) this.abort();
  }

  /** While a question stands, Ctrl-C is an answer to it. */
  private async uninterrupted<T>(question: () => Promise<T>): Promise<T> {
    const { running } = this;
    this.running = undefined;
    try {
      return await question();
    } finally {
      this.running = running;
    }
  }

  private async confirm(state: SessionState, question: Bilingual): Promise<boolean> {
    const { port, keys } = this.options;
    port.write(`${inLanguage(question, state.language)} (Y/N) `);
    for (;;) {
      const key = await keys.next();
      const answer = key === undefined ? false : yesOrNo(key);
      if (answer === undefined) continue;
      port.write(`${answer ? 'Y' : 'N'}\r\n`);
      return answer;
    }
  }

  /** Asks for a parameter that a command needs; undefined when nothing is given. */
  private async askFor(state: SessionState, name: string, spec: ParamSpec): Promise<string | undefined> {
    const prompt = `${name} (${inLanguage(spec.purpose, state.language)}): `;
    const hidden = spec.secret === true;
    const answer = await readAnswer(this.options, { prompt, hidden });
    if (answer === undefined || answer.trim() === '') return undefined;
    return hidden ? answer : answer.trim();
  }
}

const isInterrupt = (key: Key) => key.kind === 'key' && key.name === 'interrupt';
const isQuit = (key: Key) => key.kind === 'char' && key.char.toLowerCase() === 'q';

function yesOrNo(key: Key): boolean | undefined {
  if (key.kind === 'char') {
    if (key.char === 'y' || key.char === 'Y') return true;
    return key.char === 'n' || key.char === 'N' ? false : undefined;
  }
  return key.name === 'interrupt' || key.name === 'eof' || key.name === 'enter' ? false : undefined;
}
