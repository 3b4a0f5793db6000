import type { SipRequest } from '../../sip/message.js';
import { serialize } from '../../sip/serialize.js';
import type { Via } from '../../sip/via.js';
import type { Source, TransactionLayerUser } from '../types.js';
import type { TransactionLimits } from './limits.js';
import { overloadResponse } from './own-responses.js';
import { RatePerSecond } from './rate-per-second.js';
import type { TransactionContext } from './transaction-context.js';
import { serverKey } from './transaction-key.js';

/** Decides whether a new request gets a transaction; what does not is refused without one. */
export class RequestGate {
  /** Requests that got a 503, or nothing, for want of room or in an overload; only grows. */
  refused = 0;
  private readonly responseRate: RatePerSecond;

  constructor(
    private readonly context: TransactionContext,
    private readonly limits: TransactionLimits,
    private readonly user: TransactionLayerUser,
    private readonly isOverloaded: () => boolean,
  ) {
    this.responseRate = new RatePerSecond(limits.maxOverloadResponsesPerSecond, context.clock);
  }

  /** `servers` are the transactions that are there, by key. */
  admits(request: SipRequest, topVia: Via, servers: ReadonlyMap<string, unknown>): boolean {
    return this.hasRoomFor(request, topVia, servers) && !this.isShed(request);
  }

  /** 503 without a transaction (RFC 3261 §21.5.4, §8.2.7); silence when there are too many even of these. */
  refuse(request: SipRequest, topVia: Via, source: Source): void {
    this.refused++;
    if (this.responseRate.admits())
      this.context.transport.respond(serialize(overloadResponse(request)), source, topVia);
  }

  private hasRoomFor(request: SipRequest, topVia: Via, servers: ReadonlyMap<string, unknown>): boolean {
    const { maxServerTransactions: max, reservedServerTransactions: reserved } = this.limits;
    const count = servers.size;
    if (count < max) return true;
    if (count >= max + reserved) return false;
    if (request.method === 'CANCEL') return servers.has(serverKey(request, topVia, 'INVITE'));
    return request.toTag !== undefined && this.user.hasDialogOf?.(request) === true;
  }

  /** In an overload what belongs to no dialog and cancels nothing is refused; calls that are up go on. */
  private isShed(request: SipRequest): boolean {
    return this.isOverloaded() && request.method !== 'CANCEL' && request.toTag === undefined;
  }
}
