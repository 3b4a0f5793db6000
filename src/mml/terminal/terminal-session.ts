import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../platform/errors.js';
import { MmlError } from '../errors.js';
import { isContinued, splitStatements } from '../grammar/statement-splitter.js';
import { IDLE_TIMEOUT_MS, LOGIN_TIMEOUT_MS, MAX_COMMAND_BYTES, MAX_LINE_BYTES } from '../limits.js';
import { alarmCount, alarmNotice, lostNotice } from '../report/alarm-notice.js';
import { historyLine } from '../report/history-line.js';
import { maskText } from '../report/mask.js';
import type { Outcome } from '../report/outcome.js';
import type { ConsoleCore } from '../session/console-core.js';
import { toMmlError } from '../session/error-mapping.js';
import type { SessionState } from '../session/session-state.js';
import type { SessionOwner } from '../session/session-table.js';
import { ForegroundCommand } from './foreground-command.js';
import { History } from './history.js';
import type { Key } from './key-decoder.js';
import { KeyQueue } from './key-queue.js';
import { type LineIo, readLine } from './line-reader.js';
import { Notices } from './notices.js';
import { ReportWriter } from './report-writer.js';
import { logIn, sayRefusal } from './terminal-login.js';
import type { TerminalPort } from './terminal-port.js';

const PROMPT = 'MML> ';
const CONTINUATION_PROMPT = '...> ';

/** One operator at one connection, from the banner to the end: login, lines, commands, reports. */
export class TerminalSession {
  private readonly keys: KeyQueue;
  private readonly history = new History();
  private state: SessionState | undefined;
  private readonly writer: ReportWriter;
  private readonly notices = new Notices((count) => lostNotice(count, this.state?.language ?? 'EN'));
  private endAlarms: () => void = () => {};
  private readonly foreground: ForegroundCommand;
  private readonly startedAt: number;
  private lastInput: number;
  private idleTimer: ReturnType<ConsoleCore['clock']['setTimeout']> | undefined;
  private ended = false;

  /** `owner` is given when the connection itself proves who it is: no login then. */
  constructor(
    private readonly core: ConsoleCore,
    private readonly port: TerminalPort,
    private readonly owner?: SessionOwner,
    private readonly onLogin: () => void = () => {},
  ) {
    this.keys = new KeyQueue(port);
    this.writer = new ReportWriter({ port, product: core.product, nextKey: () => this.keys.next() });
    this.foreground = new ForegroundCommand({
      executor: core.executor,
      port,
      keys: this.keys,
      writer: this.writer,
      onLiveEnd: () => {
        this.lastInput = core.clock.monotonic();
      },
    });
    this.startedAt = core.clock.monotonic();
    this.lastInput = this.startedAt;
  }

  /** Takes keys from the connection. */
  input(keys: readonly Key[]): void {
    this.lastInput = this.core.clock.monotonic();
    if (this.state) this.state.lastInputAt = this.core.clock.now();
    this.foreground.input(keys);
  }

  /** The client will send no more (`nc` at the end of its input): what it sent is still carried out. */
  inputEnded(): void {
    this.keys.finish();
  }

  /** Runs to the end of the session; never rejects. Closes the connection. */
  async run(): Promise<void> {
    this.watchIdle();
    try {
      if (await this.enter()) await this.commands(this.state!);
    } catch (error) {
      this.core.log.error({ err: errorMessage(error), address: this.port.address }, 'console session failed');
    } finally {
      this.end();
      if (this.state) this.core.sessions.remove(this.state.id);
    }
  }

  /** Ends the session from outside: connection gone, RMV SESSION, shutdown. Idempotent. */
  end(farewell?: string): void {
    if (this.ended) return;
    this.ended = true;
    this.core.clock.clearTimeout(this.idleTimer);
    if (farewell) this.port.write(`\r\n${farewell}\r\n`);
    this.foreground.abort();
    this.writer.stop();
    this.endAlarms();
    this.keys.close();
    this.port.end();
  }

  private watchIdle(): void {
    // Typing keeps a session alive, but does not put the login off.
    // Who looks at a report that goes on is not away.
    if (this.foreground.isLive) this.lastInput = this.core.clock.monotonic();
    const endsAt = this.state ? this.lastInput + IDLE_TIMEOUT_MS : this.startedAt + LOGIN_TIMEOUT_MS;
    const leftMs = endsAt - this.core.clock.monotonic();
    if (leftMs <= 0) {
      this.end('Session timed out / 会话超时');
      return;
    }
    this.core.clock.clearTimeout(this.idleTimer);
    this.idleTimer = this.core.clock.setTimeout(() => this.watchIdle(), leftMs + 10);
  }

  private async enter(): Promise<boolean> {
    const { name, version } = this.core.product;
    this.port.write(`${name} MML console\r\n`);
    const owner = this.owner ?? (await logIn(this.core, this.io, () => this.ended));
    if (!owner || this.ended) return false;
    try {
      this.state = this.core.sessions.add(owner, () =>
        this.end('Session ended by an operator / 会话被操作员结束'),
      );
    } catch (error) {
      sayRefusal(this.port, toMmlError(error, 0));
      return false;
    }
    this.onLogin();
    this.watchIdle();
    this.endAlarms = this.watchAlarms(this.state);
    if (this.port.isTerminal()) {
      const { alarms } = this.core.services;
      this.port.write(
        `Version ${version}. ${owner.operator} (${owner.role}). HLP or ? for help, LGO to leave.\r\n` +
          `${alarmCount(alarms.active(), this.state.language)}\r\n`,
      );
    }
    if (owner.mustChangePassword) sayRefusal(this.port, new MmlError(3008));
    return true;
  }

  private get io(): LineIo {
    return { port: this.port, keys: this.keys };
  }

  /** Prints alarms for sessions that want them. */
  private watchAlarms(state: SessionState): () => void {
    const { services, product } = this.core;
    return services.alarms.onChange((change) => {
      if (state.printsAlarms) this.notices.push(alarmNotice(change, product, state));
    });
  }

  /** Reads and runs commands until the operator leaves. */
  private async commands(state: SessionState): Promise<void> {
    let pending = '';
    while (!this.ended) {
      const entry = await this.readCommandLine(state, pending);
      if (entry.kind === 'closed') return;
      if (entry.kind === 'eof' && pending === '') return;
      if (entry.kind !== 'line') {
        pending = '';
        continue;
      }
      if (entry.overflowed || Buffer.byteLength(pending) > MAX_COMMAND_BYTES) {
        await this.writer.show(state, this.tooLong(state, entry.line));
        pending = '';
        continue;
      }
      const source = pending === '' ? entry.line : `${pending} ${entry.line}`;
      pending = isContinued(source) && this.port.isTerminal() ? source : '';
      if (pending !== '') continue;
      this.history.add(historyLine(this.core.registry, source));
      if (await this.runLine(state, source)) return;
    }
  }

  private readCommandLine(state: SessionState, pending: string) {
    const { core } = this;
    return readLine(this.io, {
      // A client without a terminal reads reports by their frame; a prompt would stand in its way.
      prompt: pending === '' ? PROMPT : CONTINUATION_PROMPT,
      silentWhenPlain: true,
      history: this.history,
      notices: this.notices,
      assist: {
        core,
        rights: state,
        language: () => state.language,
        pending: pending === '' ? '' : `${pending} `,
      },
    });
  }

  /** Runs every command of a line; true when one of them ended the session. */
  private async runLine(state: SessionState, source: string): Promise<boolean> {
    for (const statement of splitStatements(source, 'line')) {
      // Commands that were pasted by the thousand leave room for calls between them.
      await nextTurn();
      if (this.ended) return true;
      const outcome = await this.foreground.run(state, statement.text);
      await this.writer.show(state, outcome);
      if (outcome.endSession) return true;
      if (outcome.retcode === 4006) return false;
    }
    return false;
  }

  private tooLong(state: SessionState, line: string): Outcome {
    const echo = maskText(`${line.slice(0, 60)}…`);
    return this.core.executor.refuse(new MmlError(1008, { limit: MAX_LINE_BYTES }), echo, state);
  }
}
