import type { TimerHandle } from '../../platform/clock.js';
import { localAddresses } from '../../platform/local-address.js';
import { type Command, parseCommand } from './command.js';
import { CommandError, ERROR } from './error-codes.js';
import { FEATURES, PROTOCOL_VERSION } from './features.js';
import type { LegContext } from './media-leg.js';
import { OwnPorts } from './own-ports.js';
import { PortPool } from './port-pool.js';
import { answerQuery, knownModifiers } from './query.js';
import { answerCounters, answerInfo, type RelayFigures, type RelayTallies } from './relay-figures.js';
import type { RelayOptions, RelayStats } from './relay-options.js';
import type { RelaySession } from './relay-session.js';
import { SessionTable } from './session-table.js';
import { SessionUpdates } from './session-updates.js';

/** How often sessions are looked over and the coarse clock is set, milliseconds. */
const TICK_MS = 250;

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
  private readonly updates: SessionUpdates;
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
    const { sessions, pool, context, tallies, maxSessions } = this;
    this.updates = new SessionUpdates({ options, sessions, pool, context, tallies, maxSessions });
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
        return this.updates.run(command);
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
