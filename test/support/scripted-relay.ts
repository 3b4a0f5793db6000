import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** A datagram of the client, and how to answer it. */
export interface Asked {
  readonly cookie: string;
  readonly command: string;
  /** Answers this client with these octets; the cookie is not added. */
  readonly send: (text: string) => void;
}

/** A control socket that answers as a test says: for replies that no sound relay gives. */
export class ScriptedRelay {
  readonly asked: Asked[] = [];

  private constructor(
    private readonly socket: Socket,
    script: (asked: Asked, count: number) => void,
  ) {
    socket.on('message', (datagram: Buffer, from: RemoteInfo) => {
      const [cookie, ...words] = datagram.toString('latin1').split(' ');
      const send = (text: string): void => socket.send(text, from.port, from.address);
      const asked = { cookie: cookie!, command: words.join(' '), send };
      this.asked.push(asked);
      script(asked, this.asked.length);
    });
  }

  static async open(script: (asked: Asked, count: number) => void): Promise<ScriptedRelay> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new ScriptedRelay(socket, script);
  }

  get url(): string {
    return `rtpproxy+udp://127.0.0.1:${this.socket.address().port}`;
  }

  /** Commands that came, without the question for the extension. */
  get commands(): string[] {
    return this.asked.map(({ command }) => command).filter((command) => !command.startsWith('VF'));
  }

  /** Resolves when this command has come. */
  async until(command: string): Promise<void> {
    while (!this.commands.includes(command)) await once(this.socket, 'message');
  }

  async close(): Promise<void> {
    this.socket.close();
    await once(this.socket, 'close');
  }
}
