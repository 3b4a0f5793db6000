import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { headerOf } from './sip-text.js';
import { appResponse } from './text-peer.js';
import { waitFor } from './wait-for.js';

/** Status and further header lines for a request; undefined leaves it unanswered. */
export type Answer = (
  request: string,
) => { status: number; headers?: readonly string[]; body?: string } | undefined;

/** An application that answers each request by rule and keeps nothing, for tests that watch memory. */
export class AutoApp {
  answered = 0;
  private responses = 0;
  private bytes: Buffer = Buffer.alloc(0);
  private lastId = 0;

  private constructor(
    private readonly socket: Socket,
    private readonly answer: Answer,
  ) {
    socket.on('data', (chunk) => this.take(chunk));
    socket.on('error', () => {});
  }

  static async start(
    target: { port: number; secret: string },
    verbs: readonly string[],
    answer: Answer,
  ): Promise<AutoApp> {
    const socket = connect(target.port, '127.0.0.1');
    await once(socket, 'connect');
    const app = new AutoApp(socket, answer);
    app.send(`authenticate|${target.secret}|`);
    for (const verb of verbs) app.send(`route|${verb}`);
    await waitFor('the answers to its commands', () => app.responses === verbs.length + 1);
    return app;
  }

  async close(): Promise<void> {
    const closed = once(this.socket, 'close');
    this.socket.destroy();
    await closed;
  }

  private take(chunk: Buffer): void {
    this.bytes = this.bytes.length > 0 ? Buffer.concat([this.bytes, chunk]) : chunk;
    for (;;) {
      const hash = this.bytes.indexOf('#');
      const end = hash + 1 + Number(this.bytes.toString('latin1', 0, Math.max(hash, 0)));
      if (hash < 0 || this.bytes.length < end) return;
      this.onFrame(this.bytes.toString('latin1', hash + 1, end));
      this.bytes = this.bytes.subarray(end);
    }
  }

  private onFrame(frame: string): void {
    const at = frame.indexOf('\r\n');
    const fields = frame.slice(0, at < 0 ? frame.length : at).split('|');
    const request = frame.slice(at + 2);
    if (fields[1] === 'response') this.responses++;
    if (fields[1] !== 'sip' || fields[2] !== 'network' || /^(ACK|CANCEL) /.test(request)) return;
    const given = headerOf(request, 'CSeq') === undefined ? undefined : this.answer(request);
    if (!given) return;
    this.answered++;
    this.send(`sip|${fields[8]}|`, appResponse(request, given.status, given.headers, given.body));
  }

  private send(leader: string, sip?: string): void {
    const frame = `${++this.lastId}|${leader}${sip === undefined ? '' : `\r\n${sip}`}`;
    this.socket.write(`${frame.length}#${frame}`, 'latin1');
  }
}
