import type { Socket } from 'node:net';
import { errorMessage } from '../../platform/errors.js';
import { MAX_ADMIN_REQUEST_BYTES } from '../limits.js';
import { jsonReport } from '../report/json-report.js';
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
  private readonly gone = new AbortController();
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
    this.pump();
  };

  private readonly onEnd = (): void => {
    this.inputEnded = true;
    this.pump();
  };

  /** Takes requests one by one; the socket is not read while one runs. */
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
    const outcome = await this.core.executor.run(request.run, state, { signal: this.gone.signal });
    const report =
      state.format === 'JSON'
        ? jsonReport(outcome, state.language)
        : textReport(outcome, this.core.product, state.language).join('\n');
    await this.reply({ retcode: outcome.retcode, text: `${report}\n`, end: outcome.endSession });
    if (outcome.endSession) this.socket.end();
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
    this.gone.abort();
    if (this.state) this.core.sessions.remove(this.state.id);
  }
}
