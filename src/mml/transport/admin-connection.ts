import type { Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import { DRAIN_TIMEOUT_MS, MAX_ADMIN_REQUEST_BYTES } from '../limits.js';
import { jsonReport } from '../report/json-report.js';
import { LiveText } from '../report/live-text.js';
import type { Outcome } from '../report/outcome.js';
import { printable } from '../report/printable.js';
import { textReport } from '../report/text-report.js';
import type { ConsoleCore } from '../session/console-core.js';
import type { SessionState } from '../session/session-state.js';
import type { SessionOwner } from '../session/session-table.js';
import { inLanguage } from '../text.js';
import { type Hello, helloSchema, type RunReply, runRequestSchema } from './admin-protocol.js';
import { LineFramer } from './line-framer.js';
import { TelnetConnection } from './telnet-connection.js';

/** One client of the admin socket. */
export class AdminConnection {
  private readonly framer = new LineFramer(MAX_ADMIN_REQUEST_BYTES);
  private running: AbortController | undefined;
  /** A part of a report that goes on has been sent: what comes now ends it. */
  private isLive = false;
  private terminal: TelnetConnection | undefined;
  private state: SessionState | undefined;
  private hello: Hello | undefined;
  private busy = false;
  private inputEnded = false;

  constructor(
    private readonly core: ConsoleCore,
    private readonly socket: Socket,
  ) {
    socket.on('error', () => undefined);
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('close', () => this.closed());
  }

  /** Ends the connection from the server's side. */
  end(): void {
    if (this.terminal) this.terminal.session.end('Server is stopping / 服务器正在停止');
    else this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    this.framer.push(chunk);
    this.endLive();
    this.pump();
  };

  private readonly onEnd = (): void => {
    this.inputEnded = true;
    this.endLive();
    this.pump();
  };

  /** Ends a report that goes on. */
  private endLive(): void {
    if (!this.isLive) return;
    this.isLive = false;
    this.socket.pause();
    this.running?.abort();
  }

  /** Takes requests one by one; the socket is not read while one runs, unless its report goes on. */
  private pump(): void {
    if (this.busy) return;
    this.busy = true;
    this.socket.pause();
    this.serve()
      .catch((error: unknown) => {
        this.core.log.warn({ err: errorMessage(error) }, 'bad request on the admin socket');
        this.socket.destroy();
      })
      .finally(() => {
        this.busy = false;
        if (!this.terminal) this.socket.resume();
      });
  }

  private async serve(): Promise<void> {
    for (let line = this.framer.next(); line !== undefined; line = this.framer.next()) {
      if (this.socket.destroyed) return;
      if (this.hello) await this.run(this.state!, line);
      else if (this.begin(line)) return;
    }
    if (this.inputEnded) this.socket.end();
  }

  /** Takes the hello; true when the rest of the stream belongs to a terminal. */
  private begin(line: string): boolean {
    const hello = helloSchema.parse(JSON.parse(line));
    this.hello = hello;
    const who = hello.user === undefined ? 'local' : `local:${printable(hello.user)}`;
    const owner: SessionOwner = {
      operator: 'local',
      role: 'ADMIN',
      grants: [],
      address: who,
      transport: 'local',
    };
    if (hello.mode === 'terminal') {
      this.startTerminal(owner, hello);
      return true;
    }
    this.state = this.core.sessions.add(owner, () => this.socket.destroy());
    this.state.format = hello.format ?? 'TEXT';
    this.state.language = hello.language ?? 'EN';
    return false;
  }

  private startTerminal(owner: SessionOwner, hello: Hello): void {
    const { core, socket } = this;
    socket.off('data', this.onData).off('end', this.onEnd);
    const screen = {
      ...(hello.columns !== undefined && { columns: hello.columns }),
      ...(hello.rows !== undefined && { rows: hello.rows }),
    };
    this.terminal = new TelnetConnection({ core, socket, address: owner.address, local: { owner, screen } });
    this.terminal.run().catch((error: unknown) => {
      core.log.error({ err: errorMessage(error) }, 'local console failed');
      socket.destroy();
    });
    this.terminal.receive(this.framer.rest());
    socket.resume();
  }

  private async run(state: SessionState, line: string): Promise<void> {
    const request = runRequestSchema.parse(JSON.parse(line));
    state.lastInputAt = this.core.clock.now();
    if ('check' in request) {
      const fault = this.core.executor.check(request.check, state);
      const text = fault ? inLanguage(fault.sentence, state.language) : '';
      return this.reply({ retcode: fault?.retcode ?? 0, text });
    }
    if ('stop' in request) return;
    const { product, clock, executor } = this.core;
    const live = new LiveText({ product, language: state.language, format: state.format });
    this.running = new AbortController();
    if (this.socket.destroyed) this.running.abort();
    const outcome = await executor.run(request.run, state, {
      signal: this.running.signal,
      print: async (part) => {
        const timer = clock.setTimeout(() => this.cutOff(), DRAIN_TIMEOUT_MS);
        await this.reply({ retcode: 0, text: linesText(live.part(part)), more: true });
        clock.clearTimeout(timer);
        // It was ended while the part went out.
        if (this.running?.signal.aborted) return;
        // From now on the client is heard.
        if (!this.isLive) this.socket.resume();
        this.isLive = true;
      },
    });
    this.isLive = false;
    this.running = undefined;
    await this.reply({
      retcode: outcome.retcode,
      text: live.isBegun ? linesText(live.end(outcome)) : this.wholeText(outcome, state),
      end: outcome.endSession,
    });
    if (outcome.endSession) this.socket.end();
  }

  private wholeText(outcome: Outcome, { format, language }: SessionState): string {
    return format === 'JSON'
      ? `${jsonReport(outcome, language)}\n`
      : linesText(textReport(outcome, this.core.product, language));
  }

  private cutOff(): void {
    this.core.log.warn({}, 'local console client does not read its output, disconnected');
    this.socket.destroy();
  }

  private async reply(reply: RunReply): Promise<void> {
    if (this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.socket.once('close', resolve);
      this.socket.write(`${JSON.stringify(reply)}\n`, () => {
        this.socket.off('close', resolve);
        resolve();
      });
    });
  }

  private closed(): void {
    this.running?.abort();
    if (this.state) this.core.sessions.remove(this.state.id);
  }
}

const linesText = (lines: readonly string[]) => lines.map((line) => `${line}\n`).join('');
