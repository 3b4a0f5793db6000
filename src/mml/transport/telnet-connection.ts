import type { Socket } from 'node:net';
import { MAX_UNAUTHENTICATED_BYTES } from '../limits.js';
import type { ConsoleCore } from '../session/console-core.js';
import type { SessionOwner } from '../session/session-table.js';
import { type Key, KeyDecoder } from '../terminal/key-decoder.js';
import { AYT, BRK, EC, EL, EOF, IP } from '../terminal/telnet-codes.js';
import { TelnetOptions } from '../terminal/telnet-options.js';
import { TelnetParser } from '../terminal/telnet-parser.js';
import { TerminalSession } from '../terminal/terminal-session.js';
import { type Screen, SocketPort } from './socket-port.js';

/** Telnet commands that stand for keys (RFC 854, control functions; RFC 1184 for EOF). */
const COMMAND_KEYS: ReadonlyMap<number, Key> = new Map([
  [IP, { kind: 'key', name: 'interrupt' }],
  [BRK, { kind: 'key', name: 'interrupt' }],
  [EC, { kind: 'key', name: 'backspace' }],
  [EL, { kind: 'key', name: 'kill-start' }],
  [EOF, { kind: 'key', name: 'eof' }],
]);

export interface ConnectionOptions {
  readonly core: ConsoleCore;
  readonly socket: Socket;
  readonly address: string;
  /** An owner that needs no login, with the screen it told of; absent for telnet clients. */
  readonly local?: { readonly owner: SessionOwner; readonly screen: { columns?: number; rows?: number } };
  onLogin?(): void;
  /** The first byte has come. */
  onSign?(): void;
}

/** Joins a socket to a session: telnet bytes in, keys to the session, reports out. */
export class TelnetConnection {
  readonly session: TerminalSession;
  private readonly parser: TelnetParser;
  private readonly negotiation: TelnetOptions;
  private readonly decoder = new KeyDecoder();
  private readonly port: SocketPort;
  /** Bytes that may still come before login. */
  private allowance: number;
  /** The client has asked whether we are there. */
  private isAsked = false;

  constructor(private readonly options: ConnectionOptions) {
    const { core, socket, address, local } = options;
    this.negotiation = new TelnetOptions(
      (bytes) => this.port.write(bytes),
      () => core.log.warn({ address }, 'telnet negotiation storm, no longer answered'),
    );
    this.port = new SocketPort({
      socket,
      address,
      transport: local ? 'local' : 'telnet',
      screen: this.screen(),
      clock: core.clock,
      onUnread: () => core.log.warn({ address }, 'console client does not read its output, disconnected'),
    });
    this.allowance = local ? Number.POSITIVE_INFINITY : MAX_UNAUTHENTICATED_BYTES;
    this.session = new TerminalSession(core, this.port, local?.owner, () => {
      this.allowance = Number.POSITIVE_INFINITY;
      options.onLogin?.();
    });
    this.parser = new TelnetParser({
      onData: (bytes) => this.session.input(this.decoder.push(bytes)),
      onNegotiation: (verb, option) => this.negotiate(verb, option),
      onSubnegotiation: (option, payload) => this.negotiation.receiveSubnegotiation(option, payload),
      onCommand: (command) => this.command(command),
    });
  }

  /** Runs the session; resolves when it is over. */
  async run(): Promise<void> {
    const { socket, local } = this.options;
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.session.end());
    socket.on('end', () => this.session.inputEnded());
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    if (!local) this.negotiation.start();
    await this.session.run();
  }

  /** Takes bytes that were read before this connection began. */
  receive(chunk: Buffer): void {
    if (this.port.isEnding) return;
    this.options.onSign?.();
    this.allowance -= chunk.length;
    if (this.allowance < 0) {
      const { core, address, socket } = this.options;
      core.log.warn({ address }, 'console client sends too much before login, disconnected');
      socket.destroy();
      return;
    }
    this.parser.push(chunk);
    // RFC 854: Are You There asks for visible evidence; one for all that came together is enough.
    if (this.isAsked) this.port.write('\r\n[Yes]\r\n');
    this.isAsked = false;
  }

  private negotiate(verb: number, option: number): void {
    if (!this.options.local) this.negotiation.receive(verb, option);
  }

  private command(command: number): void {
    const key = COMMAND_KEYS.get(command);
    if (key) this.session.input([key]);
    else if (command === AYT) this.isAsked = true;
  }

  private screen(): Screen {
    const { negotiation } = this;
    const { local } = this.options;
    return {
      get isTerminal() {
        return local !== undefined || negotiation.isTerminal;
      },
      get isBinary() {
        return local !== undefined || negotiation.isBinary;
      },
      get columns() {
        return negotiation.columns ?? local?.screen.columns;
      },
      get rows() {
        return negotiation.rows ?? local?.screen.rows;
      },
    };
  }
}
