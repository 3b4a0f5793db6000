import type { Socket } from 'node:net';
import type { ServerChannel, Session } from 'ssh2';
import { errorMessage } from '../../platform/errors.js';
import { retcodeText } from '../errors.js';
import type { ConsoleCore } from '../session/console-core.js';
import type { SessionOwner } from '../session/session-table.js';
import { type Key, KeyDecoder } from '../terminal/key-decoder.js';
import { TerminalSession } from '../terminal/terminal-session.js';
import { ChannelPort, type Screen } from './channel-port.js';
import { CommandRun } from './command-run.js';

export interface SshSessionOptions {
  readonly core: ConsoleCore;
  readonly session: Session;
  readonly socket: Socket;
  readonly address: string;
  /** The operator who logged in, as it is now; undefined when it may open no more sessions. */
  owner(): Promise<SessionOwner | undefined>;
  /** Input that nobody takes, output that nobody reads: the whole connection is to be cut off. */
  cutOff(reason: 'unread' | 'unclosed'): void;
}

/** What serves a channel: an operator at a terminal, or commands that were given with the call of `ssh`. */
interface Served {
  input(keys: readonly Key[]): void;
  inputEnded(): void;
  run(): Promise<void>;
  end(farewell?: string): void;
}

/** Largest screen that is believed. */
const MAX_SIDE = 1000;
const INTERRUPT: Key = { kind: 'key', name: 'interrupt' };

/** One session channel (RFC 4254 §6.2, §6.5, §6.7, §6.9): a terminal, its size, a shell or a command. Nothing else is granted. */
export class SshSession {
  private readonly screen: Screen = { isTerminal: false, columns: undefined, rows: undefined };
  private readonly decoder = new KeyDecoder();
  private channel: ServerChannel | undefined;
  private port: ChannelPort | undefined;
  private served: Served | undefined;
  private gone = false;

  constructor(private readonly options: SshSessionOptions) {
    const { session } = options;
    session.on('pty', (accept, _, { cols, rows }) => {
      this.resize(cols, rows);
      this.screen.isTerminal = true;
      accept?.();
    });
    session.on('window-change', (accept, _, { cols, rows }) => {
      this.resize(cols, rows);
      accept?.();
    });
    session.on('signal', (accept, _, { name }) => {
      if (name === 'INT') this.interrupt();
      accept?.();
    });
    session.on('shell', (accept) => this.start(accept()));
    session.on('exec', (accept, _, { command }) => this.start(accept(), command));
  }

  /** A shell or a command was begun. */
  get isServed(): boolean {
    return this.channel !== undefined;
  }

  /** Input that no one has taken yet, bytes. */
  get unread(): number {
    return this.channel?.readableLength ?? 0;
  }

  end(farewell?: string): void {
    if (this.served) this.served.end(farewell);
    else this.port?.end();
  }

  rekeyed(): void {
    this.port?.rekeyed();
  }

  /** The channel or its connection is gone. */
  closed(): void {
    this.gone = true;
    this.port?.closed();
    this.served?.end();
  }

  private interrupt(): void {
    if (this.served instanceof CommandRun) this.served.interrupt();
    else this.served?.input([INTERRUPT]);
  }

  private resize(columns: number, rows: number): void {
    const side = (value: number) => (value >= 1 && value <= MAX_SIDE ? value : undefined);
    this.screen.columns = side(columns);
    this.screen.rows = side(rows);
  }

  /** Granted at once: ssh2 grants nothing any more when the client has said that it will send no input. */
  private start(channel: ServerChannel | undefined, command?: string): void {
    if (!channel) return;
    const { core, socket, address, cutOff } = this.options;
    this.channel = channel;
    this.port = new ChannelPort({ channel, socket, address, screen: this.screen, clock: core.clock, cutOff });
    channel.on('error', () => undefined);
    this.serve(channel, this.port, command).catch((error: unknown) => {
      core.log.error({ err: errorMessage(error), address }, 'SSH session failed');
      cutOff('unclosed');
    });
  }

  private async serve(channel: ServerChannel, port: ChannelPort, command?: string): Promise<void> {
    const { core } = this.options;
    const owner = await this.options.owner();
    if (this.gone) return;
    if (!owner) {
      port.write(`RETCODE = 3005  ${retcodeText(3005).en}\r\n`);
      port.exitStatus = 1;
      port.end();
      return;
    }
    const served =
      command === undefined
        ? new TerminalSession(core, port, owner)
        : new CommandRun(core, port, owner, command);
    this.served = served;
    channel.on('data', (bytes: Buffer) => served.input(this.decoder.push(bytes)));
    channel.on('end', () => served.inputEnded());
    await served.run();
  }
}
