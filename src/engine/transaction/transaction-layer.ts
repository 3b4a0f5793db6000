import type { Clock } from '../../platform/clock.js';
import { ClosedError } from '../../platform/errors.js';
import { randomToken } from '../../platform/ids.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import { formatHost } from '../../sip/host.js';
import type { SipMessage, SipRequest, SipResponse } from '../../sip/message.js';
import { serializeText } from '../../sip/serialize.js';
import { MAGIC_COOKIE, type Via } from '../../sip/via.js';
import type { MessageTransport, Outlet, SendFailureListener } from '../transport/types.js';
import type {
  ClientTransaction,
  ClientTransactionUser,
  Hop,
  Source,
  TimerSettings,
  TransactionLayerUser,
} from '../types.js';
import type { ClientTransactionOptions } from './client-transaction-base.js';
import { TransactionLimitError } from './errors.js';
import { InviteClientTransaction } from './invite-client-transaction.js';
import { InviteServerTransaction } from './invite-server-transaction.js';
import { DEFAULT_TRANSACTION_LIMITS, type TransactionLimits } from './limits.js';
import { NonInviteClientTransaction } from './non-invite-client-transaction.js';
import { NonInviteServerTransaction } from './non-invite-server-transaction.js';
import { serverErrorResponse } from './own-responses.js';
import { Refusals } from './refusals.js';
import { RequestGate } from './request-gate.js';
import type { ClientTransactionOwner, TransactionContext, TransactionOwner } from './transaction-context.js';
import { clientKey, clientKeyOf, isLegacy, serverKey } from './transaction-key.js';

/** Random characters of a branch after the magic cookie: 80 bits. */
const BRANCH_LENGTH = 16;

export interface TransactionLayerOptions {
  readonly transport: MessageTransport;
  readonly clock: Clock;
  readonly timers: TimerSettings;
  readonly log: Logger;
  readonly user: TransactionLayerUser;
  readonly limits?: Partial<TransactionLimits>;
  /** Whether requests outside dialogs are to be refused for now; asked for each of them. */
  readonly isOverloaded?: () => boolean;
}

/** A request that was sent outside any transaction. */
export interface SentRequest {
  /** As put on the wire, a char for each octet. */
  readonly text: string;
  readonly hop: Hop;
  readonly localAddress: string;
  readonly localPort: number;
  /** Sends the same the same way again, as an ACK must be when its 2xx is repeated (RFC 3261 §13.2.2.4). */
  resend(): void;
}

/** Transactions by kind and state, e.g. `inviteServer.proceeding`; states without any are left out. */
export type TransactionCounts = Readonly<
  Record<
    'inviteServer' | 'nonInviteServer' | 'inviteClient' | 'nonInviteClient',
    Readonly<Record<string, number>>
  >
>;

type Server = InviteServerTransaction | NonInviteServerTransaction;
type Client = InviteClientTransaction | NonInviteClientTransaction;

/** All transactions of the engine (RFC 3261 §17): matches messages to them, and makes them. */
export class TransactionLayer implements Closeable {
  private readonly servers = new Map<string, Server>();
  private readonly clients = new Map<string, Client>();
  private readonly serverOwner: TransactionOwner = { forget: (key) => this.servers.delete(key) };
  private readonly clientOwner: ClientTransactionOwner = {
    forget: (key) => this.clients.delete(key),
    sendCancel: (inviteKey, cancel, outlet) => {
      const branch = inviteKey.slice(0, inviteKey.lastIndexOf(' '));
      this.startClient(branch, cancel, outlet, CANCEL_USER);
    },
  };
  private readonly context: TransactionContext;
  private readonly limits: TransactionLimits;
  private readonly user: TransactionLayerUser;
  private readonly gate: RequestGate;
  private isClosed = false;

  constructor(options: TransactionLayerOptions) {
    const { transport, clock, timers, log } = options;
    this.user = options.user;
    this.limits = { ...DEFAULT_TRANSACTION_LIMITS, ...options.limits };
    const { maxUnacknowledgedRefusals, repeatedRefusalsPerSource, maxRefusedRequests } = this.limits;
    this.context = {
      transport,
      clock,
      timers,
      log,
      refusedInvites: new Refusals(maxUnacknowledgedRefusals, repeatedRefusalsPerSource),
      refusedRequests: new Refusals(maxRefusedRequests, maxRefusedRequests),
    };
    const { user, isOverloaded = () => false } = options;
    this.gate = new RequestGate(this.context, this.limits, user, isOverloaded);
    transport.onMessage = (message, source) => this.receive(message, source);
  }

  /**
   * Puts our Via on top of `request`, which belongs to the transaction from here on, and sends it. Throws
   * TransactionLimitError, or TransportError `NO_LISTENER`; the user hears nothing before this returns. `branchTail`,
   * token characters, ends the branch: a proxy knows its own requests again by it (RFC 3261 §16.6 item 8).
   */
  createClient(
    request: SipRequest,
    hop: Hop,
    user: ClientTransactionUser,
    branchTail = '',
  ): ClientTransaction {
    if (this.isClosed) throw new ClosedError('transaction layer');
    if (this.clients.size >= this.limits.maxClientTransactions)
      throw new TransactionLimitError(this.limits.maxClientTransactions);
    const outlet = this.context.transport.outlet(hop);
    const branch = prependVia(request, outlet, branchTail);
    return this.startClient(branch, request, outlet, user);
  }

  /**
   * Sends a request that has no transaction: the ACK of a 2xx (RFC 3261 §13.2.2.4). Throws as `createClient`. `failure` is
   * told when it did not leave.
   */
  sendStateless(request: SipRequest, hop: Hop, failure?: SendFailureListener): SentRequest {
    if (this.isClosed) throw new ClosedError('transaction layer');
    const outlet = this.context.transport.outlet(hop);
    prependVia(request, outlet);
    const text = serializeText(request);
    request.wireText = text;
    outlet.send(Buffer.from(text, 'latin1'), failure);
    return new StatelessRequest(text, outlet);
  }

  /** Requests that got no transaction, for want of room or in an overload. */
  get refusedRequests(): number {
    return this.gate.refused;
  }

  /** Transactions of refused requests that were forgotten before their time, see TransactionLimits. */
  get forgottenRefusals(): number {
    return this.context.refusedInvites.forgotten + this.context.refusedRequests.forgotten;
  }

  counts(): TransactionCounts {
    const counts = { inviteServer: {}, nonInviteServer: {}, inviteClient: {}, nonInviteClient: {} };
    for (const server of this.servers.values())
      count(server instanceof InviteServerTransaction ? counts.inviteServer : counts.nonInviteServer, server);
    for (const client of this.clients.values())
      count(client instanceof InviteClientTransaction ? counts.inviteClient : counts.nonInviteClient, client);
    return counts;
  }

  /** Ends all transactions without a word to their users. The transport is its owner's to close. */
  close(): Promise<void> {
    this.isClosed = true;
    for (const transaction of [...this.servers.values(), ...this.clients.values()]) transaction.abandon();
    this.servers.clear();
    this.clients.clear();
    return Promise.resolve();
  }

  private startClient(
    branch: string,
    request: SipRequest,
    outlet: Outlet,
    user: ClientTransactionUser,
  ): ClientTransaction {
    const key = clientKey(branch, request.method);
    const options: ClientTransactionOptions = {
      context: this.context,
      request,
      outlet,
      user,
      key,
      owner: this.clientOwner,
    };
    const transaction =
      request.method === 'INVITE'
        ? new InviteClientTransaction(options)
        : new NonInviteClientTransaction(options);
    this.clients.set(key, transaction);
    transaction.start();
    return transaction;
  }

  private receive(message: SipMessage, source: Source): void {
    if (this.isClosed) return;
    if (message.type === 'response') this.receiveResponse(message, source);
    else if (message.topVia) this.receiveRequest(message, message.topVia, source);
  }

  private receiveResponse(response: SipResponse, source: Source): void {
    const key = clientKeyOf(response);
    const transaction = key === undefined ? undefined : this.clients.get(key);
    if (!transaction) this.user.onStrayResponse(response, source);
    else if (transaction.accepts(response)) transaction.receive(response, source);
  }

  private receiveRequest(request: SipRequest, topVia: Via, source: Source): void {
    const key = serverKey(request, topVia);
    const transaction = this.servers.get(key);
    if (request.method === 'ACK') this.receiveAck(request, topVia, source, transaction);
    else if (transaction) transaction.receiveRetransmission();
    else if (!this.gate.admits(request, topVia, this.servers)) this.gate.refuse(request, topVia, source);
    else this.startServer(key, request, topVia, source);
  }

  private receiveAck(ack: SipRequest, topVia: Via, source: Source, transaction: Server | undefined): void {
    const isTaken =
      transaction instanceof InviteServerTransaction && transaction.receiveAck(ack, isLegacy(topVia));
    if (!isTaken) this.user.onAck(ack, source);
  }

  private startServer(key: string, request: SipRequest, topVia: Via, source: Source): void {
    const options = {
      context: this.context,
      request,
      topVia,
      source,
      // RFC 3261 §9.2
      cancels:
        request.method === 'CANCEL' ? this.servers.get(serverKey(request, topVia, 'INVITE')) : undefined,
      key,
      owner: this.serverOwner,
    };
    const transaction =
      request.method === 'INVITE'
        ? new InviteServerTransaction(options)
        : new NonInviteServerTransaction(options);
    this.servers.set(key, transaction);
    try {
      this.user.onRequest(transaction);
    } catch (error) {
      this.context.log.error({ err: error, callId: request.callId }, 'taking a request failed');
      transaction.respond(serverErrorResponse(request));
    }
  }
}

class StatelessRequest implements SentRequest {
  constructor(
    readonly text: string,
    private readonly outlet: Outlet,
  ) {}

  get hop(): Hop {
    return this.outlet.hop;
  }

  get localAddress(): string {
    return this.outlet.listener.address;
  }

  get localPort(): number {
    return this.outlet.listener.port;
  }

  resend(): void {
    this.outlet.send(Buffer.from(this.text, 'latin1'));
  }
}

/** A CANCEL's own responses and failures concern no one (RFC 3261 §9.1). */
const CANCEL_USER: ClientTransactionUser = {
  onResponse: () => {},
  onFailure: () => {},
  onTerminated: () => {},
};

/** Puts our Via on top (RFC 3261 §18.1.1, RFC 3581 §3); returns its branch. */
function prependVia(request: SipRequest, outlet: Outlet, branchTail = ''): string {
  const branch = MAGIC_COOKIE + randomToken(BRANCH_LENGTH) + branchTail;
  const { host, port } = outlet.sentBy;
  const rport = outlet.reliable ? '' : ';rport';
  const protocol = outlet.hop.protocol.toUpperCase();
  request.prepend(
    'Via',
    `SIP/2.0/${protocol} ${formatHost(host)}:${port};branch=${branch}${rport}${aliasParam(outlet.hop)}`,
  );
  return branch;
}

function count(byState: Record<string, number>, transaction: Server | Client): void {
  byState[transaction.state] = (byState[transaction.state] ?? 0) + 1;
}

/** RFC 5923 §7.1: a server that we call by its name may send its requests back by the same TLS connection. */
function aliasParam({ protocol, name, flow }: Hop): string {
  return protocol === 'tls' && name !== undefined && flow === undefined ? ';alias' : '';
}
