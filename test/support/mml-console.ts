import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Console, startConsole } from '../../src/mml/console.js';
import type { Services } from '../../src/mml/services.js';
import { type Clock, systemClock } from '../../src/platform/clock.js';
import { type Logger, silentLogger } from '../../src/platform/logger.js';
import { mmlTestServices } from './mml-services.js';

/** A running console on a port of its own, in a directory of its own. */
export interface TestConsole {
  readonly console: Console;
  readonly port: number;
  /** Port of SSH; 0 when it was not asked for. */
  readonly sshPort: number;
  readonly socketPath: string;
  readonly directory: string;
  close(): Promise<void>;
}

/** Starts a console; the caller closes it. */
export async function startTestConsole(
  services: Services = mmlTestServices(),
  options: { readonly log?: Logger; readonly clock?: Clock; readonly ssh?: boolean } = {},
): Promise<TestConsole> {
  const directory = await mkdtemp(join(tmpdir(), 'ims-mml-'));
  const socketPath = join(directory, 'ims.sock');
  const console = await startConsole({
    services,
    listen: [{ host: '127.0.0.1', port: 0 }],
    ...(options.ssh && { sshListen: { host: '127.0.0.1', port: 0 } }),
    adminSocketPath: socketPath,
    log: options.log ?? silentLogger,
    clock: options.clock ?? systemClock,
    product: { name: 'ims-server', version: '0.1.0' },
  });
  return {
    console,
    port: console.addresses[0]!.port,
    sshPort: console.ssh?.address.port ?? 0,
    socketPath,
    directory,
    close: async () => {
      await console.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const WAIT_MS = 10_000;

/** What a telnet client answers to our offers: DO BINARY, WILL BINARY, DO ECHO, DO SGA, WILL SGA, WILL NAWS and the window size. */
export function terminalAnswer(columns = 80, rows = 24): Buffer {
  return Buffer.from([
    255,
    253,
    0,
    255,
    251,
    0,
    255,
    253,
    1,
    255,
    253,
    3,
    255,
    251,
    3,
    255,
    251,
    31,
    255,
    250,
    31,
    0,
    columns,
    0,
    rows,
    255,
    240,
  ]);
}

/** A raw TCP client that waits for what it is to see. */
export class WireClient {
  private received = Buffer.alloc(0);
  private seen = 0;
  private wake: () => void = () => {};
  closed = false;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.wake();
    });
  }

  static async open(port: number, localAddress?: string): Promise<WireClient> {
    const socket = connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) });
    const client = new WireClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return client;
  }

  send(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Everything so far, bytes as latin1 characters. */
  get bytes(): Buffer {
    return this.received;
  }

  /** Waits for a text after what was waited for before; returns all up to and with it. */
  async until(wanted: string | RegExp): Promise<string> {
    return this.wait(() => {
      const text = this.received.toString('utf8').slice(this.seen);
      const match = typeof wanted === 'string' ? text.indexOf(wanted) : text.search(wanted);
      if (match < 0) return undefined;
      const length = typeof wanted === 'string' ? wanted.length : wanted.exec(text)![0].length;
      this.seen += match + length;
      return text.slice(0, match + length);
    }, `${wanted}`);
  }

  async untilClosed(): Promise<string> {
    return this.wait(() => (this.closed ? this.received.toString('utf8') : undefined), 'close');
  }

  private async wait<T>(look: () => T | undefined, what: string): Promise<T> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      const leftMs = deadline - Date.now();
      if (leftMs <= 0 || (this.closed && what !== 'close')) {
        const tail = JSON.stringify(this.received.toString('latin1').slice(-400));
        throw new Error(`${this.closed ? 'closed' : 'timed out'} waiting for ${what}; last: ${tail}`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  /** Logs in as an operator, as `nc` would: plain lines. */
  async login(name = 'admin', password = 'secret'): Promise<void> {
    await this.until('login: ');
    this.send(`${name}\n`);
    await this.until('password: ');
    this.send(`${password}\n`);
  }

  /** Logs in at a terminal: negotiates, then types. */
  async loginAtTerminal(columns = 80, rows = 24, name = 'admin'): Promise<void> {
    await this.until('login: ');
    this.send(terminalAnswer(columns, rows));
    this.send(`${name}\r\0`);
    await this.until('password: ');
    this.send('secret\r\0');
    await this.until('MML> ');
  }

  /** Runs a command as a plain line; resolves its report. */
  async run(command: string): Promise<string> {
    this.send(`${command}\n`);
    return this.until('---    END\r\n');
  }

  close(): void {
    this.socket.destroy();
  }
}
