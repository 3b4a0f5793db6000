import { isIPv6 } from 'node:net';
import type { Command } from './command.js';
import { CommandError, ERROR } from './error-codes.js';
import type { LegContext } from './media-leg.js';
import type { PortPool } from './port-pool.js';
import type { RelayTallies } from './relay-figures.js';
import type { RelayOptions } from './relay-options.js';
import { RelaySession, type SideIndex } from './relay-session.js';
import type { SessionTable } from './session-table.js';
import { parseRemote, parseUpdateOptions, type UpdateOptions } from './update-options.js';

export interface SessionUpdateParts {
  readonly options: RelayOptions;
  readonly sessions: SessionTable;
  readonly pool: PortPool;
  readonly context: LegContext;
  readonly tallies: RelayTallies;
  readonly maxSessions: number;
}

/** The commands that make sessions and change them: opens ports, tells sides where their party is, names the port in the reply. */
export class SessionUpdates {
  constructor(private readonly parts: SessionUpdateParts) {}

  /** `U[opts] callid addr port from [to [notify tag]]`, `L[opts] callid addr port from [to]`. */
  async run(command: Command): Promise<string> {
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
    const match = this.parts.sessions.find(callId, fromTag, rest[0]);
    if (!match && !isUpdate) return '0';
    const bindAddress = this.bindAddressFor(options);
    const session = match?.session ?? (await this.create(callId, fromTag, bindAddress, options));
    // The party that speaks is the from-tag's in its own U, and the other one in its own L.
    const isFromParty = match?.isFromParty ?? true;
    const party: SideIndex = isFromParty === isUpdate ? 1 : 0;
    const facing: SideIndex = party === 1 ? 0 : 1;
    await this.readyPorts(session, facing, bindAddress, options, match !== undefined);
    session.touchedAtMs = this.parts.context.nowMs;
    if (options.weak) session.sides[facing].weak = true;
    else if (isUpdate) session.strong = true;
    session.tell(party, remote, { ...options, nowMs: this.parts.context.nowMs });
    if (!isUpdate) session.confirm();
    return this.portReply(session.sides[facing].ports!.port, bindAddress);
  }

  private async create(
    callId: string,
    fromTag: string,
    bindAddress: string,
    options: UpdateOptions,
  ): Promise<RelaySession> {
    if (this.parts.sessions.size >= this.parts.maxSessions) throw new CommandError(ERROR.OVERLOAD);
    const session = new RelaySession(callId, fromTag, this.parts.pool, this.parts.context);
    if ((await session.openPorts(0, bindAddress, options.ownPort)) === undefined) {
      this.parts.options.log.warn({ free: this.parts.pool.available }, 'no media port to be had');
      throw new CommandError(ERROR.NO_PORT_NEW);
    }
    session.strong = !options.weak;
    this.parts.sessions.add(session);
    this.parts.tallies.created++;
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
      this.parts.tallies.complete++;
    }
  }

  private bindAddressFor(options: UpdateOptions): string {
    if (options.localAddress !== undefined) return options.localAddress;
    const address =
      options.family === 6 ? this.parts.options.bindAddress6 : (this.parts.options.bindAddress ?? '0.0.0.0');
    if (address === undefined) throw new CommandError(ERROR.FAMILY);
    return address;
  }

  /** `port`, `port ip` or `port ip 6`. */
  private portReply(port: number, bindAddress: string): string {
    const isV6 = isIPv6(bindAddress);
    const advertised = isV6 ? this.parts.options.advertisedAddress6 : this.parts.options.advertisedAddress;
    const isWildcard = bindAddress === '0.0.0.0' || bindAddress === '::';
    const address = advertised ?? (isWildcard ? undefined : bindAddress);
    if (address === undefined) return String(port);
    return isV6 ? `${port} ${address} 6` : `${port} ${address}`;
  }
}
