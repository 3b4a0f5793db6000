import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import { formatHost } from '../../sip/host.js';
import type { SipRequest } from '../../sip/message.js';
import { FailedTargets } from '../resolve/failed-targets.js';
import type { SentRequest } from '../transaction/transaction-layer.js';
import type { Outlet, SendFailureListener, SentBy } from '../transport/types.js';
import type { ClientTransaction, ClientTransactionUser, Hop, TimerSettings } from '../types.js';
import { ClientWalk, type Stop } from './client-walk.js';
import type { CoreCounters } from './core-counters.js';
import { LargeStateless } from './large-stateless.js';

/** RFC 3261 §18.1.1: the largest request that goes by UDP where the path MTU is not known; bytes. */
export const DEFAULT_UDP_MAX_BYTES = 1300;
/** For a peer that is asked by TCP because of a request's size to take the connection; milliseconds. */
const TCP_PATIENCE_MS = 2_000;
/** How long a peer that did not is not asked again; milliseconds. */
const WITHOUT_TCP_MS = 600_000;
const MAX_WITHOUT_TCP = 4_096;
const VIA_BYTES = 'Via: SIP/2.0/UDP :;branch=z9hG4bK0123456789abcdef;rport\r\n'.length;
/** The same with the longest address and port. */
const MAX_VIA_BYTES = VIA_BYTES + 60;

/** As TransactionLayer.createClient. */
export type CreateClient = (
  request: SipRequest,
  hop: Hop,
  user: ClientTransactionUser,
  branchTail?: string,
) => ClientTransaction;

export interface ClientStarterOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly timers: TimerSettings;
  readonly counters: CoreCounters;
  /** Targets that failed lately, of all requests. */
  readonly failed: FailedTargets;
  /** Larger requests go by TCP where they can (RFC 3261 §18.1.1); bytes, 0: never. */
  readonly udpMaxBytes: number;
  outlet(hop: Hop): Outlet;
  /** The transaction layer's. */
  createClient: CreateClient;
  /** The transaction layer's. */
  sendStateless(request: SipRequest, hop: Hop, failure?: SendFailureListener): SentRequest;
}

/** What a walk over targets needs of those around it. */
export interface WalkContext extends ClientStarterOptions {
  /** Peers that take no SIP over TCP. */
  readonly withoutTcp: FailedTargets;
}

/** Starts client transactions: one where there is one way to the next hop, a walk over several where there are more. */
export class ClientStarter {
  private readonly ctx: WalkContext;

  constructor(options: ClientStarterOptions) {
    const bounds = { maxFailedTargets: MAX_WITHOUT_TCP, failedTargetMs: WITHOUT_TCP_MS };
    this.ctx = { ...options, withoutTcp: new FailedTargets(options.clock, bounds) };
  }

  /** As the transaction layer's: throws what that throws, when no target can be sent to at all. */
  createClient(
    request: SipRequest,
    hop: Hop,
    user: ClientTransactionUser,
    branchTail?: string,
  ): ClientTransaction {
    const { alternatives } = hop;
    const isLarge = this.isLarge(request, hop);
    if (!alternatives && !isLarge) return this.ctx.createClient(request, hop, user, branchTail);
    const stops = [hop, ...(alternatives ?? [])].flatMap((target) => this.stopsOf(target, isLarge));
    return new ClientWalk(this.ctx, request, stops, user, branchTail);
  }

  /** As the transaction layer's. */
  sendStateless(request: SipRequest, hop: Hop): SentRequest {
    if (!this.isLarge(request, hop)) return this.ctx.sendStateless(request, hop);
    const [first, second] = this.stopsOf(hop, true);
    return second
      ? new LargeStateless(this.ctx, request, first!.hop, second.hop)
      : this.ctx.sendStateless(request, first!.hop);
  }

  /** RFC 3261 §18.1.1: a large request goes by TCP, and by UDP when that is refused. */
  private stopsOf({ alternatives: _alternatives, largeBy, ...hop }: Hop, isLarge: boolean): Stop[] {
    const plain: Stop = { hop, isForSize: false };
    if (!isLarge || largeBy === undefined) return [plain];
    const tcp: Hop = { ...hop, protocol: largeBy, connectTimeoutMs: TCP_PATIENCE_MS };
    if (this.ctx.withoutTcp.has(tcp)) return [plain];
    this.ctx.counters.largeByTcp++;
    return [{ hop: tcp, isForSize: true }, plain];
  }

  private isLarge(request: SipRequest, hop: Hop): boolean {
    const { udpMaxBytes } = this.ctx;
    const isChoice =
      hop.largeBy !== undefined || hop.alternatives?.some(({ largeBy }) => largeBy !== undefined);
    if (!isChoice || udpMaxBytes === 0) return false;
    const bytes = sizeBytes(request);
    // Most requests are far from the bound: our own end need not be asked for.
    if (bytes + MAX_VIA_BYTES <= udpMaxBytes) return false;
    return bytes + viaBytes(this.ctx.outlet(hop).sentBy) > udpMaxBytes;
  }
}

/** Bytes of the Via that the transaction layer puts on a request over UDP. */
function viaBytes({ host, port }: SentBy): number {
  return VIA_BYTES + formatHost(host).length + String(port).length;
}

/** Bytes of a request as sent but for our Via; text is latin1. */
function sizeBytes(request: SipRequest): number {
  let bytes = request.method.length + request.requestUri.length + ' SIP/2.0\r\n'.length + 1;
  for (const { name, key, value } of request.headers)
    if (key !== 'content-length') bytes += name.length + value.length + ': \r\n'.length;
  const { length } = request.bodyText;
  return bytes + `Content-Length: ${length}\r\n\r\n`.length + length;
}
