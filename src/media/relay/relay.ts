import { isIPv6 } from 'node:net';
import type { Clock, TimerHandle } from '../../platform/clock.js';
import { localAddresses } from '../../platform/local-address.js';
import type { Logger } from '../../platform/logger.js';
import { type Command, parseCommand } from './command.js';
import { CommandError, ERROR } from './error-codes.js';
import { FEATURES, PROTOCOL_VERSION } from './features.js';
import type { LegContext, RelayCounters } from './media-leg.js';
import { OwnPorts } from './own-ports.js';
import { PortPool } from './port-pool.js';
import { answerQuery, knownModifiers } from './query.js';
import { answerCounters, answerInfo, type RelayFigures, type RelayTallies } from './relay-figures.js';
import { RelaySession, type SideIndex } from './relay-session.js';
import { SessionTable } from './session-table.js';
import { parseRemote, parseUpdateOptions, type UpdateOptions } from './update-options.js';

/** How often sessions are looked over and the coarse clock is set, milliseconds. */
const TICK_MS = 250;

export interface RelayOptions {
  /** Ports for media, inclusive; two for each side of a stream. */
  readonly ports: { readonly min: number; readonly max: number };
  /** Where media sockets are bound, IPv4; default 0.0.0.0. */
  readonly bindAddress?: string;
  /** What replies name, so what phones are told; default the bound address, nothing when that is a wildcard. */
  readonly advertisedAddress?: string;
  /** The same for IPv6; without it streams over IPv6 are refused (E36). */
  readonly bindAddress6?: string;
  readonly advertisedAddress6?: string;
  /** A call with no packet for this long loses its ports, milliseconds; default 60,000. */
  readonly sessionTimeoutMs?: number;
  /** Most streams at once; further ones get E98. Default 5,000. */
  readonly maxSessions?: number;
  /** Learn the first sender whatever its address, as RTPProxy does; default false. */
  readonly trustAnySource?: boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Figures since start. */
export interface RelayStats extends RelayCounters {
  readonly sessionsCreated: number;
  readonly sessionsTimedOut: number;
  readonly activeSessions: number;
  readonly freePortPairs: number;
  /** Addresses in descriptions that were not sent to: the relay's own ports in a ring, or its control socket. */
  readonly targetsRefused: number;
}

/**
 * The relay without its control sockets: takes command lines, gives reply lines, owns sessions and media sockets.
 * The command language is RTPProxy's, its error numbers included.
 */
export class Relay {
  private readonly sessions = new SessionTable();
  private readonly pool: PortPool;
  private readonly context: LegContext;
  private readonly timeoutMs: number;
  private readonly maxSessions: number;
  private readonly tallies: RelayTallies = {
    created: 0,
    timedOut: 0,
    complete: 0,
    commands: 0,
    succeeded: 0,
    errors: 0,
  };
  private tail: Promise<unknown> = Promise.resolve();
  private timer: TimerHandle | undefined;
  private closed = false;

  constructor(private readonly options: RelayOptions) {
    this.pool = new PortPool(options.ports.min, options.ports.max);
    this.timeoutMs = options.sessionTimeoutMs ?? 60_000;
    this.maxSessions = options.maxSessions ?? 5_000;
    this.context = {
      counters: { packetsReceived: 0, packetsRelayed: 0, packetsDropped: 0, sendErrors: 0 },
      nowMs: options.clock.monotonic(),
      trustAnySource: options.trustAnySource ?? false,
      ownPorts: new OwnPorts(ownAddresses(options)),
    };
    this.tick();
  }

  /** Runs one command, without cookie; resolves with the reply, without line end. Commands run one after another. */
  run(line: string): Promise<string> {
    const reply = this.tail.then(() => this.execute(line));
    this.tail = reply;
    return reply;
  }

  stats(): RelayStats {
    return {
      ...this.context.counters,
      sessionsCreated: this.tallies.created,
      sessionsTimedOut: this.tallies.timedOut,
      activeSessions: this.sessions.size,
      freePortPairs: this.pool.available,
      targetsRefused: this.context.ownPorts.refused,
    };
  }

  /** No media is ever sent to this port of this machine: that of a control socket. */
  forbid(port: number): void {
    this.context.ownPorts.forbid(port);
  }

  /** Frees every port. Idempotent. */
  async close(): Promise<void> {
    this.closed = true;
    this.options.clock.clearTimeout(this.timer);
    await this.tail;
    for (const session of this.sessions.all()) this.drop(session);
  }

  private figures(): RelayFigures {
    const { tallies, context, maxSessions } = this;
    return { tallies, counters: context.counters, activeSessions: this.sessions.size, maxSessions };
  }

  private async execute(line: string): Promise<string> {
    this.tallies.commands++;
    try {
      if (this.closed) throw new CommandError(ERROR.OVERLOAD);
      const reply = await this.dispatch(parseCommand(line));
      this.tallies.succeeded++;
      return reply;
    } catch (error) {
      this.tallies.errors++;
      if (error instanceof CommandError) return error.reply;
      this.options.log.error({ err: error }, 'relay command failed');
      return new CommandError(ERROR.SYNTAX).reply;
    }
  }

  private dispatch(command: Command): string | Promise<string> {
    switch (command.name) {
      case 'U':
      case 'L':
        return this.update(command);
      case 'D':
        return this.delete(command);
      case 'Q':
        return this.query(command);
      case 'V':
        return PROTOCOL_VERSION;
      case 'VF':
        return FEATURES.has(command.args[0]!) ? '1' : '0';
      case 'I':
        return answerInfo(command, this.figures());
      case 'X':
        for (const session of this.sessions.all()) this.drop(session);
        return '0';
      case 'G':
        return answerCounters(command, this.figures());
      case 'P':
        return this.refuse(command, 3, ERROR.PLAY);
      case 'C':
        return this.refuse(command, 2, ERROR.COPY);
      case 'R':
        return this.refuse(command, 1, ERROR.COPY);
      case 'S':
      case 'N':
        return this.refuse(command, 1, undefined);
    }
  }

  /** `U[opts] callid addr port from [to [notify tag]]`, `L[opts] callid addr port from [to]`. */
  private async update(command: Command): Promise<string> {
    const isUpdate = command.name === 'U';
    const [callId, address, port, fromTag, ...rest] = command.args as [
      string,
      string,
      string,
      string,
      ...string[],
    ];
    const options = parseUpdateOptions(command.modifiers);
    const remote = parseRemote(address, port, options.family);
    if (rest.length > 1) throw new CommandError(ERROR.NO_NOTIFY);
    const match = this.sessions.find(callId, fromTag, rest[0]);
    if (!match && !isUpdate) return '0';
    const bindAddress = this.bindAddressFor(options);
    const session = match?.session ?? (await this.create(callId, fromTag, bindAddress, options));
    // The party that speaks is the from-tag's in its own U, and the other one in its own L.
    const isFromParty = match?.isFromParty ?? true;
    const party: SideIndex = isFromParty === isUpdate ? 1 : 0;
    const facing: SideIndex = party === 1 ? 0 : 1;
    await this.readyPorts(session, facing, bindAddress, options, match !== undefined);
    session.touchedAtMs = this.context.nowMs;
    if (options.weak) session.sides[facing].weak = true;
    else if (isUpdate) session.strong = true;
    session.tell(party, remote, { ...options, nowMs: this.context.nowMs });
    if (!isUpdate) session.confirm();
    return this.portReply(session.sides[facing].ports!.port, bindAddress);
  }

  private async create(
    callId: string,
    fromTag: string,
    bindAddress: string,
    options: UpdateOptions,
  ): Promise<RelaySession> {
    if (this.sessions.size >= this.maxSessions) throw new CommandError(ERROR.OVERLOAD);
    const session = new RelaySession(callId, fromTag, this.pool, this.context);
    if ((await session.openPorts(0, bindAddress, options.ownPort)) === undefined) {
      this.options.log.warn({ free: this.pool.available }, 'no media port to be had');
      throw new CommandError(ERROR.NO_PORT_NEW);
    }
    session.strong = !options.weak;
    this.sessions.add(session);
    this.tallies.created++;
    return session;
  }

  /** The reply names the port of the side that faces the other party: it goes into the description sent there. */
  private async readyPorts(
    session: RelaySession,
    index: SideIndex,
    bindAddress: string,
    { newPort, ownPort }: UpdateOptions,
    isKnown: boolean,
  ): Promise<void> {
    if (session.sides[index].ports && !(newPort && isKnown)) return;
    if ((await session.openPorts(index, bindAddress, ownPort)) === undefined)
      throw new CommandError(ERROR.NO_PORT);
    if (!session.complete && session.sides[0].ports && session.sides[1].ports) {
      session.complete = true;
      this.tallies.complete++;
    }
  }

  private bindAddressFor(options: UpdateOptions): string {
    if (options.localAddress !== undefined) return options.localAddress;
    const address =
      options.family === 6 ? this.options.bindAddress6 : (this.options.bindAddress ?? '0.0.0.0');
    if (address === undefined) throw new CommandError(ERROR.FAMILY);
    return address;
  }

  /** `port`, `port ip` or `port ip 6`. */
  private portReply(port: number, bindAddress: string): string {
    const isV6 = isIPv6(bindAddress);
    const advertised = isV6 ? this.options.advertisedAddress6 : this.options.advertisedAddress;
    const isWildcard = bindAddress === '0.0.0.0' || bindAddress === '::';
    const address = advertised ?? (isWildcard ? undefined : bindAddress);
    if (address === undefined) return String(port);
    return isV6 ? `${port} ${address} 6` : `${port} ${address}`;
  }

  /** `D[w] callid from [to]`. */
  private delete(command: Command): string {
    const isWeak = knownModifiers(command.modifiers, 'w', ERROR.DELETE_MODIFIER).has('w');
    const [callId, fromTag, toTag] = command.args as [string, string, string?];
    const matches = this.sessions.matching(callId, fromTag, toTag);
    if (matches.length === 0) throw new CommandError(ERROR.UNKNOWN_SESSION);
    for (const { session, side } of matches) {
      if (isWeak) session.sides[side].weak = false;
      else session.strong = false;
      if (!session.strong && !session.sides[0].weak && !session.sides[1].weak) this.drop(session);
    }
    return '0';
  }

  /** `Q[v] callid from [to [counter ...]]`. */
  private query(command: Command): string {
    const [callId, fromTag, toTag, ...names] = command.args as [string, string, string?, ...string[]];
    const match = this.sessions.find(callId, fromTag, toTag);
    if (!match) throw new CommandError(ERROR.UNKNOWN_SESSION);
    const isVerbose = knownModifiers(command.modifiers, 'v', ERROR.QUERY_MODIFIER).has('v');
    const idleMs = this.context.nowMs - match.session.lastActiveAtMs();
    const ttlSec = Math.max(0, Math.ceil((this.timeoutMs - idleMs) / 1000));
    return answerQuery(match.session, match.isFromParty, ttlSec, { verbose: isVerbose, names });
  }

  /** Playing, copying and recording are not done here: an error for a known session, as for an unknown one. */
  private refuse(command: Command, tagAt: number, errorNumber: number | undefined): string {
    const match = this.sessions.find(command.args[0]!, command.args[tagAt]!, command.args[tagAt + 1]);
    if (!match) throw new CommandError(ERROR.UNKNOWN_SESSION);
    if (errorNumber !== undefined) throw new CommandError(errorNumber);
    return '0';
  }

  private drop(session: RelaySession): void {
    session.close();
    this.sessions.remove(session);
  }

  /** Sets the coarse clock and ends silent calls: one stream with packets keeps all streams of its call. */
  private tick(): void {
    if (this.closed) return;
    const { clock } = this.options;
    this.context.nowMs = clock.monotonic();
    const oldest = this.context.nowMs - this.timeoutMs;
    for (const sessions of [...this.sessions.byCall()]) {
      if (sessions.some((session) => session.lastActiveAtMs() > oldest)) continue;
      for (const session of [...sessions]) {
        this.tallies.timedOut++;
        this.drop(session);
      }
    }
    this.timer = clock.setTimeout(() => this.tick(), TICK_MS);
  }
}

/** Where this relay's ports are reached. */
function ownAddresses(options: RelayOptions): string[] {
  const { advertisedAddress, advertisedAddress6, bindAddress, bindAddress6 } = options;
  const told = [advertisedAddress, advertisedAddress6, bindAddress, bindAddress6];
  return [...localAddresses(), ...told.filter((address) => address !== undefined)];
}
