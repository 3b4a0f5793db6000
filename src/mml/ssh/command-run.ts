import { setImmediate as nextTurn } from 'node:timers/promises';
import { errorMessage } from '../../platform/errors.js';
import { MmlError } from '../errors.js';
import { splitStatements } from '../grammar/statement-splitter.js';
import { MAX_COMMAND_BYTES } from '../limits.js';
import { maskText } from '../report/mask.js';
import type { ConsoleCore } from '../session/console-core.js';
import { toMmlError } from '../session/error-mapping.js';
import type { SessionState } from '../session/session-state.js';
import type { SessionOwner } from '../session/session-table.js';
import type { Key } from '../terminal/key-decoder.js';
import { ReportWriter } from '../terminal/report-writer.js';
import type { ChannelPort } from './channel-port.js';

const EXIT_OK = 0;
const EXIT_FAILED = 1;

/**
 * `ssh admin@host 'DSP CALL'`: runs commands, `;` between several, prints their reports and ends with status 0 when every
 * RETCODE was 0, else 1, as `ims mml` does. It asks nothing: a dangerous command needs CONFIRM=YES.
 */
export class CommandRun {
  private readonly stop = new AbortController();
  private state: SessionState | undefined;
  private readonly writer: ReportWriter;
  private isLive = false;
  private ended = false;

  constructor(
    private readonly core: ConsoleCore,
    private readonly port: ChannelPort,
    private readonly owner: SessionOwner,
    private readonly source: string,
  ) {
    this.writer = new ReportWriter({ port, product: core.product, nextKey: async () => undefined });
  }

  /** Ctrl-C ends the command that runs and those after it, `q` a report that goes on; other keys mean nothing. */
  input(keys: readonly Key[]): void {
    const isQuit = (key: Key) => this.isLive && key.kind === 'char' && key.char.toLowerCase() === 'q';
    const isEnd = (key: Key) => (key.kind === 'key' && key.name === 'interrupt') || isQuit(key);
    if (this.port.isTerminal() && keys.some(isEnd)) this.stop.abort();
  }

  /** The signal INT of the client. */
  interrupt(): void {
    this.stop.abort();
  }

  /** What is read from elsewhere (`ssh … < file`) is not for us. */
  inputEnded(): void {}

  /** Runs to the end; never rejects. Closes the channel. */
  async run(): Promise<void> {
    const { core, port } = this;
    try {
      this.state = core.sessions.add(this.owner, () =>
        this.end('Session ended by an operator / 会话被操作员结束'),
      );
      // Nobody is there to turn pages.
      this.state.pageLines = 0;
      this.state.columns = port.isTerminal() ? port.columns() : undefined;
      port.exitStatus = (await this.runAll(this.state)) ? EXIT_OK : EXIT_FAILED;
    } catch (error) {
      const { retcode, sentence } = toMmlError(error, 0);
      core.log.warn({ err: errorMessage(error), address: port.address }, 'SSH command not run');
      port.write(`RETCODE = ${retcode}  ${sentence.en}\r\n`);
      port.exitStatus = EXIT_FAILED;
    } finally {
      this.end();
      if (this.state) core.sessions.remove(this.state.id);
    }
  }

  /** Ends from outside: connection gone, RMV SESSION, shutdown. Idempotent. */
  end(farewell?: string): void {
    if (this.ended) return;
    this.ended = true;
    if (farewell) {
      this.port.write(`${farewell}\r\n`);
      this.port.exitStatus = EXIT_FAILED;
    }
    this.stop.abort();
    this.writer.stop();
    this.port.end();
  }

  private async runAll(state: SessionState): Promise<boolean> {
    const { core, source } = this;
    if (Buffer.byteLength(source) > MAX_COMMAND_BYTES) {
      const error = new MmlError(1008, { limit: MAX_COMMAND_BYTES });
      await this.writer.show(state, core.executor.refuse(error, maskText(`${source.slice(0, 60)}…`), state));
      return false;
    }
    let isGood = true;
    for (const { text } of splitStatements(source, 'line')) {
      await nextTurn();
      this.isLive = false;
      const outcome = await core.executor.run(text, state, {
        signal: this.stop.signal,
        print: (part) => {
          this.isLive = true;
          return this.writer.part(state, part);
        },
      });
      if (outcome.retcode !== 0) isGood = false;
      await this.writer.show(state, outcome);
      if (this.ended || outcome.endSession || this.stop.signal.aborted) break;
    }
    return isGood;
  }
}
