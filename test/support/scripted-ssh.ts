import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import ssh2 from 'ssh2';

const WAIT_MS = 10_000;

/** Rejects when a promise takes too long; for what a server may never answer. */
async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`timed out waiting for ${what}`)), WAIT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** An SSH client that does what a test tells it, wrong things too. */
export class ScriptedSsh {
  readonly client = new ssh2.Client();
  readonly closed: Promise<void>;
  isClosed = false;

  private constructor(readonly socket: Socket) {
    this.client.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  /** Begins a connection; resolves when it is logged in, rejects when it is not. */
  static async login(port: number, options: ssh2.ConnectConfig = {}): Promise<ScriptedSsh> {
    const { localAddress = '127.0.0.1', ...rest } = options;
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    socket.on('error', () => undefined);
    const scripted = new ScriptedSsh(socket);
    const ready = new Promise<void>((resolve, reject) => {
      scripted.client.once('ready', resolve).once('error', reject);
      socket.once('close', () => reject(new Error('closed before login')));
    });
    scripted.client.connect({
      sock: socket,
      username: 'admin',
      password: 'secret',
      readyTimeout: 0,
      ...rest,
    });
    await inTime(ready, 'login');
    return scripted;
  }

  /** Runs a command to its end. */
  async run(command: string): Promise<{ output: string; code: number | undefined }> {
    const channel = await this.exec(command);
    let output = '';
    channel.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
    const [code] = (await inTime(once(channel, 'close'), `end of ${command}`)) as [number | undefined];
    return { output, code };
  }

  exec(command: string): Promise<ssh2.ClientChannel> {
    const opened = new Promise<ssh2.ClientChannel>((resolve, reject) => {
      this.client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
    });
    return inTime(opened, `exec ${command}`);
  }

  /** A shell; `false`: no terminal. */
  shell(window: ssh2.PseudoTtyOptions | false = { cols: 80, rows: 24 }): Promise<ssh2.ClientChannel> {
    const opened = new Promise<ssh2.ClientChannel>((resolve, reject) => {
      this.client.shell(window, (error, channel) => (error ? reject(error) : resolve(channel)));
    });
    return inTime(opened, 'shell');
  }

  /** A session channel on which nothing is begun. */
  emptyChannel(): Promise<void> {
    const { _protocol: protocol, _chanMgr: channels } = this.client as unknown as {
      _protocol: { session(channel: number, window: number, packetSize: number): void };
      _chanMgr: { add(opened: object): number };
    };
    const opened = new Promise<void>((resolve, reject) => {
      const told = Object.assign((error?: Error) => (error ? reject(error) : resolve()), { type: 'session' });
      protocol.session(channels.add(told), 2 ** 21, 2 ** 15);
    });
    return inTime(opened, 'an empty channel');
  }

  /** Exchanges keys anew. */
  rekey(): Promise<void> {
    const { _protocol: protocol } = this.client as unknown as { _protocol: { rekey(): void } };
    protocol.rekey();
    return new Promise((resolve) => this.client.once('handshake', () => resolve()));
  }

  untilClosed(): Promise<void> {
    return inTime(this.closed, 'close');
  }

  close(): void {
    this.socket.destroy();
  }
}

/** Resolves what a channel has shown when a text is in it. */
export async function until(channel: ssh2.ClientChannel, wanted: string): Promise<string> {
  let shown = '';
  return inTime(
    new Promise((resolve, reject) => {
      channel.on('data', (chunk: Buffer) => {
        shown += chunk.toString('utf8');
        if (shown.includes(wanted)) resolve(shown);
      });
      channel.once('close', () => reject(new Error(`closed before ${wanted}: ${shown.slice(-300)}`)));
    }),
    wanted,
  );
}

/** Stands between a client and the server and does as it is told with each piece of what the client sends. */
export class Tampering {
  private readonly sockets = new Set<Socket>();
  /** What the client has sent so far, bytes. */
  sent = 0;

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** `pass` gets each piece and the socket towards the server; it writes, changes, cuts or destroys. */
  static async start(
    to: number,
    pass: (piece: Buffer, towards: Socket, sentBefore: number) => void,
  ): Promise<Tampering> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const tampering = new Tampering(server, (server.address() as { port: number }).port);
    server.on('connection', (client) => {
      const towards = connect(to, '127.0.0.1');
      for (const socket of [client, towards]) {
        tampering.sockets.add(socket);
        socket.on('error', () => undefined);
        socket.setNoDelay(true);
      }
      client.on('data', (piece: Buffer) => {
        const before = tampering.sent;
        tampering.sent += piece.length;
        if (!towards.destroyed) pass(piece, towards, before);
      });
      towards.pipe(client);
      client.once('close', () => towards.destroy());
      towards.once('close', () => client.destroy());
    });
    return tampering;
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
  }
}
