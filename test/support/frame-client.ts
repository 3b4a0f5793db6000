import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Inbox } from './inbox.js';

/** One frame, its leader cut at `|`. */
export interface Frame {
  readonly fields: readonly string[];
  /** The SIP text behind the leader; empty without one. */
  readonly sip: string;
}

/** An application without drachtio-srf: writes frames as told, shows those that come. Text is latin1. */
export class FrameClient {
  /** Frames of type `sip` and the like. */
  readonly events = new Inbox<Frame>();
  /** Leaders of all frames in the order they came. */
  readonly leaders: (readonly string[])[] = [];
  readonly closed: Promise<void>;
  private readonly answers = new Map<string, Inbox<Frame>>();
  private bytes = Buffer.alloc(0);
  private lastId = 0;

  private static readonly opened = new Set<FrameClient>();

  /** Closes every client that a test left open; for `afterEach`. */
  static async closeAll(): Promise<void> {
    await Promise.all([...FrameClient.opened].map((client) => client.close()));
  }

  private constructor(readonly socket: Socket) {
    FrameClient.opened.add(this);
    socket.on('data', (chunk) => this.take(chunk));
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
    void this.closed.then(() => FrameClient.opened.delete(this));
  }

  static async open(port: number, host = '127.0.0.1'): Promise<FrameClient> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new FrameClient(socket);
  }

  /** Over a connection that came in. */
  static over(socket: Socket): FrameClient {
    return new FrameClient(socket);
  }

  /** Connects, authenticates, routes the verbs given. */
  static async start(
    target: { host?: string; port: number; secret: string },
    verbs: readonly string[] = [],
  ): Promise<FrameClient> {
    const client = await FrameClient.open(target.port, target.host);
    await client.ask(`authenticate|${target.secret}|`);
    for (const verb of verbs) await client.ask(`route|${verb}`);
    return client;
  }

  /** Sends a command and resolves with its first answer. */
  ask(command: string, sip?: string): Promise<Frame> {
    return this.answersTo(this.send(command, sip)).next();
  }

  /** Sends a command; returns its id. */
  send(command: string, sip?: string): string {
    const id = `m${++this.lastId}`;
    this.answers.set(id, new Inbox());
    this.raw(frameText(`${id}|${command}${sip === undefined ? '' : `\r\n${sip}`}`));
    return id;
  }

  /** Answers to the command with that id. */
  answersTo(id: string): Inbox<Frame> {
    const inbox = this.answers.get(id) ?? new Inbox<Frame>();
    this.answers.set(id, inbox);
    return inbox;
  }

  raw(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  private take(chunk: Buffer): void {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    for (;;) {
      const hash = this.bytes.indexOf('#');
      const end = hash + 1 + Number(this.bytes.toString('latin1', 0, Math.max(hash, 0)));
      if (hash < 1 || this.bytes.length < end) return;
      const text = this.bytes.toString('latin1', hash + 1, end);
      this.bytes = this.bytes.subarray(end);
      this.dispatch(text);
    }
  }

  private dispatch(text: string): void {
    const cr = text.indexOf('\r\n');
    const fields = (cr < 0 ? text : text.slice(0, cr)).split('|');
    const frame = { fields, sip: cr < 0 ? '' : text.slice(cr + 2) };
    this.leaders.push(fields);
    if (fields[1] === 'response') this.answersTo(fields[2] ?? '').push(frame);
    else this.events.push(frame);
  }
}

export function frameText(content: string): string {
  return `${Buffer.byteLength(content, 'latin1')}#${content}`;
}
