import type { Socket } from 'node:net';
import type { AuthContext, Connection, PasswordAuthContext, PublicKeyAuthContext, Session } from 'ssh2';
import type { LoggedInOperator, OperatorView } from '../../accounts/types.js';
import {
  CLOSE_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  LOGIN_TIMEOUT_MS,
  MAX_LINE_BYTES,
  MAX_LOGIN_TRIES,
  SSH_HANDSHAKE_TIMEOUT_MS,
  SSH_MAX_CHANNELS,
  SSH_MAX_EMPTY_CHANNELS,
  SSH_MAX_LOGIN_REQUESTS,
  SSH_MAX_REKEYS_PER_MIN,
  SSH_MAX_UNAUTHENTICATED_BYTES,
  SSH_MAX_UNREAD_BYTES,
} from '../limits.js';
import type { ConsoleCore } from '../session/console-core.js';
import { toMmlError } from '../session/error-mapping.js';
import { admitOperator, loginOperator } from '../session/operator-login.js';
import { ownerOf, type SessionOwner } from '../session/session-table.js';
import { isKeyOf } from './operator-key.js';
import { SshSession } from './ssh-session.js';

export interface SshConnectionOptions {
  readonly core: ConsoleCore;
  readonly socket: Socket;
  readonly address: string;
  onLogin(): void;
  /** The first byte has come. */
  onSign(): void;
}

const METHODS: ('publickey' | 'password')[] = ['publickey', 'password'];

/** One SSH connection, from the first byte to the end: time limits, login (RFC 4252), sessions (RFC 4254). */
export class SshConnection {
  private client: Connection | undefined;
  private operator: LoggedInOperator | undefined;
  private readonly sessions = new Set<SshSession>();
  private emptyChannels = 0;
  private loginRequests = 0;
  private tries = 0;
  private isRefused = false;
  /** Bytes that may still come before login. */
  private allowance = SSH_MAX_UNAUTHENTICATED_BYTES;
  private rekeys: number[] = [];
  private timer: ReturnType<ConsoleCore['clock']['setTimeout']> | undefined;
  /** Only what was said goes out yet. */
  private isEnding = false;
  private gone = false;

  /** Watches the socket from now on; `attach` follows when the client has named its version. */
  constructor(private readonly options: SshConnectionOptions) {
    const { socket } = options;
    this.limitTime(SSH_HANDSHAKE_TIMEOUT_MS);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => this.count(chunk.length));
    socket.once('end', () => this.closed());
    socket.once('close', () => this.closed());
  }

  /** Takes the protocol side that ssh2 has made for the socket. */
  attach(client: Connection): void {
    this.client = client;
    client.on('error', (error) => {
      this.options.core.log.debug(
        { err: error.message, address: this.options.address },
        'SSH protocol error',
      );
      this.cutOffSoon();
    });
    client.once('handshake', () => this.limitTime(LOGIN_TIMEOUT_MS));
    client.on('rekey', () => this.rekeyed());
    client.on('authentication', (context) => this.authenticate(context));
    client.on('session', (accept, reject) => (this.hasRoom() ? this.open(accept()) : reject()));
  }

  /** Ends the connection from the server's side, with a word to those who sit at a terminal. */
  end(farewell: string): void {
    for (const session of this.sessions) session.end(farewell);
    this.client?.end();
    if (this.client) this.cutOffSoon();
    else this.cutOff();
  }

  private count(bytes: number): void {
    const { core, address, onSign } = this.options;
    if (this.gone) return;
    if (!this.operator) {
      onSign();
      this.allowance -= bytes;
      if (this.allowance >= 0) return;
      core.log.warn({ address }, 'console client sends too much before login, disconnected');
      this.cutOff();
      // RFC 4254 §5.2: ssh2 does not hold a client to its window.
    } else if ([...this.sessions].some(({ unread }) => unread > SSH_MAX_UNREAD_BYTES)) {
      core.log.warn({ address }, 'SSH client sends more than its window, disconnected');
      this.cutOff();
    }
  }

  /** RFC 4252 §7, §8: public keys and passwords; other methods that clients try are refused with the words for these. */
  private authenticate(context: AuthContext): void {
    // After a refusal nothing counts any more.
    if (this.isRefused) return;
    if (++this.loginRequests > SSH_MAX_LOGIN_REQUESTS) this.refuse(context);
    else if (context.method === 'publickey') void this.loginByKey(context);
    else if (context.method !== 'password') context.reject(METHODS);
    else if (isSane(context)) void this.login(context, () => this.byPassword(context));
    else this.refuse(context);
  }

  private byPassword({ username, password }: PasswordAuthContext): Promise<LoggedInOperator> {
    const { core, address } = this.options;
    return loginOperator(core, username, password, address);
  }

  /** A client asks first whether a key would do, and signs then. */
  private async loginByKey(context: PublicKeyAuthContext): Promise<void> {
    const { core, address } = this.options;
    const known = await core.services.operators.present(context.username).catch(() => undefined);
    if (this.gone) return;
    if (!isKeyOf(known, context)) context.reject(METHODS);
    else if (context.signature === undefined) context.accept();
    else await this.login(context, () => admitOperator(core, context.username, address));
  }

  private async login(context: AuthContext, check: () => Promise<LoggedInOperator>): Promise<void> {
    const { core, address, onLogin } = this.options;
    try {
      const operator = await check();
      if (this.gone) return;
      this.operator = operator;
      onLogin();
      this.limitIdle();
      context.accept();
    } catch (error) {
      const { retcode } = toMmlError(error, 0);
      core.log.warn({ address, retcode }, 'console login failed');
      if (this.gone) return;
      if (++this.tries >= MAX_LOGIN_TRIES || retcode === 3006) this.refuse(context);
      else context.reject(METHODS);
    }
  }

  private refuse(context: AuthContext): void {
    this.isRefused = true;
    context.reject([]);
    this.client?.end();
    this.cutOffSoon();
  }

  /** RFC 4254 §5.1. ssh2 keeps a channel that was closed before anything ran on it, so these are counted for good. */
  private hasRoom(): boolean {
    return this.sessions.size < SSH_MAX_CHANNELS && this.emptyChannels < SSH_MAX_EMPTY_CHANNELS;
  }

  private open(session: Session): void {
    const { core, socket, address } = this.options;
    const served = new SshSession({
      core,
      session,
      socket,
      address,
      owner: () => this.owner(),
      cutOff: (reason) => {
        if (reason === 'unread')
          core.log.warn({ address }, 'console client does not read its output, disconnected');
        this.cutOff();
      },
    });
    this.sessions.add(served);
    session.on('close', () => {
      if (!this.sessions.delete(served)) return;
      if (!served.isServed) this.emptyChannels++;
      served.closed();
      // The limit has passed them by while one was served.
      if (!this.gone && served.isServed && !this.isServing) this.limitIdle();
    });
  }

  /**
   * A connection outlives its sessions: each begins with what its operator may do by then, and none does any more when
   * the operator is gone, or its role, password, keys or where and when it may log in is another than at the login.
   */
  private async owner(): Promise<SessionOwner | undefined> {
    const { core, address } = this.options;
    const known = this.operator!;
    const now = await core.services.operators.present(known.name);
    return now && isUnchanged(known, now) ? ownerOf(now, { address, transport: 'ssh' }) : undefined;
  }

  private rekeyed(): void {
    const now = this.options.core.clock.monotonic();
    this.rekeys = [...this.rekeys.filter((at) => now - at < 60_000), now];
    if (this.rekeys.length > SSH_MAX_REKEYS_PER_MIN) this.cutOff();
    for (const session of this.sessions) session.rekeyed();
  }

  /** A connection on which nothing runs is closed in time; sessions watch over themselves. */
  private limitIdle(): void {
    this.limitTime(IDLE_TIMEOUT_MS, () => this.isServing);
  }

  private get isServing(): boolean {
    return [...this.sessions].some(({ isServed }) => isServed);
  }

  private limitTime(limitMs: number, isExcused: () => boolean = () => false): void {
    if (this.isEnding) return;
    const { clock } = this.options.core;
    clock.clearTimeout(this.timer);
    this.timer = clock.setTimeout(() => {
      if (isExcused()) return;
      this.client?.end();
      this.cutOffSoon();
    }, limitMs);
  }

  /** Lets what was said go out, and no longer. */
  private cutOffSoon(): void {
    if (this.gone) return;
    this.isEnding = true;
    const { clock } = this.options.core;
    clock.clearTimeout(this.timer);
    this.timer = clock.setTimeout(() => this.cutOff(), CLOSE_TIMEOUT_MS);
  }

  private cutOff(): void {
    this.options.socket.destroy();
    this.closed();
  }

  private closed(): void {
    if (this.gone) return;
    this.gone = true;
    this.options.core.clock.clearTimeout(this.timer);
    for (const session of this.sessions) session.closed();
    this.sessions.clear();
  }
}

/** A request to change the password comes as an object. */
function isSane({ username, password }: PasswordAuthContext): boolean {
  return typeof password === 'string' && username.length + password.length <= MAX_LINE_BYTES;
}

/** Whether nothing has changed that ends the sessions of an operator. */
function isUnchanged(before: OperatorView, now: OperatorView): boolean {
  const facts = ({ createdAt, role, passwordAt, addresses, hours, keys }: OperatorView) =>
    JSON.stringify([createdAt, role, passwordAt, addresses, hours, keys]);
  return facts(before) === facts(now);
}
