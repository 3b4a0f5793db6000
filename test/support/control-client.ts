import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** Speaks RTPProxy's control protocol over UDP, raw: what is sent is what is given. */
export class ControlClient {
  private readonly waiting: ((reply: string) => void)[] = [];
  private count = 0;

  private constructor(private readonly socket: Socket) {
    socket.on('message', (datagram) => this.waiting.shift()?.(datagram.toString('latin1')));
  }

  /** `url` is `rtpproxy+udp://host:port`. */
  static async open(url: string): Promise<ControlClient> {
    const { hostname, port } = new URL(url.replace('rtpproxy+udp', 'http'));
    const socket = createSocket('udp4');
    socket.connect(Number(port), hostname);
    await once(socket, 'connect');
    return new ControlClient(socket);
  }

  /** Sends a datagram as it is; resolves with the next reply as it is. */
  async raw(datagram: string | Buffer): Promise<string> {
    const reply = new Promise<string>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`no reply to ${JSON.stringify(String(datagram))}`)),
        2_000,
      );
      this.waiting.push((text) => {
        clearTimeout(timer);
        resolve(text);
      });
    });
    this.socket.send(datagram);
    return reply;
  }

  /** Sends a command under a cookie of its own; gives the reply without cookie and line end. */
  async command(line: string): Promise<string> {
    const cookie = `test${process.pid}x${Date.now().toString(36)}x${++this.count}`;
    const reply = await this.raw(`${cookie} ${line}`);
    if (!reply.startsWith(`${cookie} `) || !reply.endsWith('\n'))
      throw new Error(`malformed reply ${JSON.stringify(reply)}`);
    return reply.slice(cookie.length + 1, -1);
  }

  /** The port of a `port ip` reply. */
  async port(line: string): Promise<number> {
    const reply = await this.command(line);
    const port = Number(/^(\d+)( |$)/.exec(reply)?.[1]);
    if (!port) throw new Error(`${line} was answered ${reply}`);
    return port;
  }

  close(): void {
    this.socket.close();
  }
}
