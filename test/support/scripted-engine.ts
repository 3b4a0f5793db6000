import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Inbox } from './inbox.js';

/** One frame from an application: its id and its fields. */
export interface AppFrame {
  readonly id: string;
  readonly fields: readonly string[];
  readonly socket: Socket;
}

/** The far end of an engine connection that does only what a test tells it: for engines that misbehave. */
export class ScriptedEngine {
  readonly frames = new Inbox<AppFrame>();
  readonly sockets: Socket[] = [];

  private constructor(private readonly server: Server) {
    server.on('connection', (socket) => {
      this.sockets.push(socket);
      let text = '';
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        text = this.take(socket, text + chunk.toString('latin1'));
      });
    });
  }

  static async listen(port = 0): Promise<ScriptedEngine> {
    const server = createServer();
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedEngine(server);
  }

  get port(): number {
    const address = this.server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  send(socket: Socket, frame: string): void {
    const text = `00000000-0000-4000-8000-000000000000|${frame}`;
    socket.write(`${Buffer.byteLength(text)}#${text}`);
  }

  /** Takes the next frame, which has to be `authenticate`, and answers it. */
  async authenticate(answer = 'OK|udp/127.0.0.1:5060|v0.9.10|udp/127.0.0.1:5060'): Promise<AppFrame> {
    const frame = await this.frames.next();
    if (frame.fields[0] !== 'authenticate') throw new Error(`expected authenticate, got ${frame.fields[0]}`);
    this.send(frame.socket, `response|${frame.id}|${answer}`);
    return frame;
  }

  async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private take(socket: Socket, text: string): string {
    for (;;) {
      const mark = text.indexOf('#');
      const length = Number(text.slice(0, mark));
      if (mark < 0 || text.length < mark + 1 + length) return text;
      const [leader = ''] = text.slice(mark + 1, mark + 1 + length).split('\r\n');
      const [id = '', ...fields] = leader.split('|');
      this.frames.push({ id, fields, socket });
      text = text.slice(mark + 1 + length);
    }
  }
}
