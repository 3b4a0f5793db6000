import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../platform/errors.js';
import { MmlError } from '../errors.js';
import { isContinued, splitStatements } from '../grammar/statement-splitter.js';
import {
  IDLE_TIMEOUT_MS,
  LOGIN_TIMEOUT_MS,
  MAX_COMMAND_BYTES,
  MAX_LINE_BYTES,
  MAX_LOGIN_TRIES,
} from '../limits.js';
import type { ParamSpec } from '../registry/command.js';
import { alarmCount, alarmNotice, lostNotice } from '../report/alarm-notice.js';
import { historyLine } from '../report/history-line.js';
import { maskText } from '../report/mask.js';
import type { Outcome } from '../report/outcome.js';
import type { ConsoleCore } from '../session/console-core.js';
import { toMmlError } from '../session/error-mapping.js';
import { loginOperator } from '../session/operator-login.js';
import type { SessionState } from '../session/session-state.js';
import { ownerOf, type SessionOwner } from '../session/session-table.js';
import { type Bilingual, inLanguage } from '../text.js';
import { History } from './history.js';
import type { Key } from './key-decoder.js';
import { KeyQueue } from './key-queue.js';
import { readLine } from './line-reader.js';
import { Notices } from './notices.js';
import { ReportWriter } from './report-writer.js';
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
  private running: AbortController | undefined;
  /** Parts printed of the report that goes on at present. */
  private liveParts: number | undefined;
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
    this.startedAt = core.clock.monotonic();
    this.lastInput = this.startedAt;
  }

  /**
   * Takes keys from the connection. Ctrl-C while a command runs ends the command and what was typed ahead. While a report
   * goes on, a terminal's other keys are dropped but for `q`, which ends it too; elsewhere the next line ends it and is
   * run then.
   */
  input(keys: readonly Key[]): void {
    this.lastInput = this.core.clock.monotonic();
    if (this.state) this.state.lastInputAt = this.core.clock.now();
    const isWatched = this.liveParts !== undefined && this.port.isTerminal();
    const endsAt = this.running
      ? keys.findLastIndex((key) => isInterrupt(key) || (isWatched && isQuit(key)))
      : -1;
    if (endsAt >= 0) {
      this.running?.abort();
      this.keys.clear();
    }
    if (endsAt >= 0 || !isWatched) this.keys.push(keys.slice(endsAt + 1));
    this.endAtNextLine();
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
    this.running?.abort();
    this.writer.stop();
    this.endAlarms();
    this.keys.close();
    this.port.end();
  }

  private watchIdle(): void {
    // Typing keeps a session alive, but does not put the login off.
    // Who looks at a report that goes on is not away.
    if (this.liveParts !== undefined) this.lastInput = this.core.clock.monotonic();
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
    const owner = this.owner ?? (await this.login());
    if (!owner || this.ended) return false;
    try {
      this.state = this.core.sessions.add(owner, () =>
        this.end('Session ended by an operator / 会话被操作员结束'),
      );
    } catch (error) {
      this.say(toMmlError(error, 0));
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
    if (owner.mustChangePassword) this.say(new MmlError(3008));
    return true;
  }

  /** Prints alarms for sessions that want them. */
  private watchAlarms(state: SessionState): () => void {
    const { services, product } = this.core;
    return services.alarms.onChange((change) => {
      if (state.printsAlarms) this.notices.push(alarmNotice(change, product, state));
    });
  }

  private async login(): Promise<SessionOwner | undefined> {
    const { address, transport } = this.port;
    for (let tries = 0; tries < MAX_LOGIN_TRIES && !this.ended; tries++) {
      try {
        this.core.gate.checkAddress(address);
        const name = await this.ask('login: ', false);
        const password = name === undefined ? undefined : await this.ask('password: ', true);
        if (name === undefined || password === undefined) return undefined;
        const operator = await loginOperator(this.core, name.trim(), password, address);
        return ownerOf(operator, { address, transport });
      } catch (error) {
        const failure = toMmlError(error, 0);
        this.core.log.warn({ address, retcode: failure.retcode }, 'console login failed');
        this.say(failure);
        if (failure.retcode === 3006) return undefined;
      }
    }
    return undefined;
  }

  private say(error: MmlError): void {
    this.port.write(`RETCODE = ${error.retcode}  ${error.sentence.en}\r\n`);
  }

  private async ask(prompt: string, hidden: boolean): Promise<string | undefined> {
    for (;;) {
      const entry = await readLine({ port: this.port, keys: this.keys }, { prompt, hidden });
      if (entry.kind !== 'line') return undefined;
      if (entry.overflowed) throw new MmlError(1008, { limit: MAX_LINE_BYTES });
      if (entry.line.trim() !== '' || hidden) return entry.line;
    }
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
    return readLine(
      { port: this.port, keys: this.keys },
      {
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
      },
    );
  }

  /** Runs every command of a line; true when one of them ended the session. */
  private async runLine(state: SessionState, source: string): Promise<boolean> {
    for (const statement of splitStatements(source, 'line')) {
      // Commands that were pasted by the thousand leave room for calls between them.
      await nextTurn();
      if (this.ended) return true;
      const outcome = await this.runStatement(state, statement.text);
      await this.writer.show(state, outcome);
      if (outcome.endSession) return true;
      if (outcome.retcode === 4006) return false;
    }
    return false;
  }

  private async runStatement(state: SessionState, source: string): Promise<Outcome> {
    const controller = new AbortController();
    this.running = controller;
    state.columns = this.port.isTerminal() ? this.port.columns() : undefined;
    try {
      return await this.core.executor.run(source, state, {
        signal: controller.signal,
        print: (part) => this.printPart(state, part),
        ...(this.port.isTerminal() && {
          ask: (question: Bilingual) => this.confirm(state, question),
          prompt: (name: string, spec: ParamSpec) => this.askFor(state, name, spec),
        }),
      });
    } finally {
      this.running = undefined;
      if (this.liveParts !== undefined) this.lastInput = this.core.clock.monotonic();
      this.liveParts = undefined;
    }
  }

  /** Prints a part of a report that goes on. */
  private async printPart(state: SessionState, part: Outcome): Promise<void> {
    this.liveParts ??= 0;
    await this.writer.part(state, part);
    this.liveParts++;
    state.columns = this.port.isTerminal() ? this.port.columns() : undefined;
    this.endAtNextLine();
  }

  /** Without a terminal the next line ends a report that goes on, but not before its first part. */
  private endAtNextLine(): void {
    if (this.liveParts && !this.port.isTerminal() && this.keys.holdsLine) this.running?.abort();
  }

  private async confirm(state: SessionState, question: Bilingual): Promise<boolean> {
    const { running } = this;
    // While the question stands, Ctrl-C is an answer to it.
    this.running = undefined;
    this.port.write(`${inLanguage(question, state.language)} (Y/N) `);
    try {
      for (;;) {
        const key = await this.keys.next();
        const answer = key === undefined ? false : yesOrNo(key);
        if (answer === undefined) continue;
        this.port.write(`${answer ? 'Y' : 'N'}\r\n`);
        return answer;
      }
    } finally {
      this.running = running;
    }
  }

  /** Asks for a parameter that a command needs; undefined when nothing is given. */
  private async askFor(state: SessionState, name: string, spec: ParamSpec): Promise<string | undefined> {
    const { running } = this;
    this.running = undefined;
    try {
      const prompt = `${name} (${inLanguage(spec.purpose, state.language)}): `;
      const hidden = spec.secret === true;
      const entry = await readLine({ port: this.port, keys: this.keys }, { prompt, hidden });
      if (entry.kind !== 'line') return undefined;
      if (entry.overflowed) throw new MmlError(1008, { limit: MAX_LINE_BYTES });
      return entry.line.trim() === '' ? undefined : hidden ? entry.line : entry.line.trim();
    } finally {
      this.running = running;
    }
  }

  private tooLong(state: SessionState, line: string): Outcome {
    const echo = maskText(`${line.slice(0, 60)}…`);
    return this.core.executor.refuse(new MmlError(1008, { limit: MAX_LINE_BYTES }), echo, state);
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
