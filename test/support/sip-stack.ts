import type { TransactionLimits } from '../../src/engine/transaction/limits.js';
import { TransactionLayer } from '../../src/engine/transaction/transaction-layer.js';
import type { TransportLimits } from '../../src/engine/transport/limits.js';
import { TransportLayer, type TransportLayerOptions } from '../../src/engine/transport/transport-layer.js';
import type { BoundListener, ListenerSpec } from '../../src/engine/transport/types.js';
import {
  type ClientTransaction,
  type ClientTransactionUser,
  DEFAULT_TIMERS,
  type FailureReason,
  type Protocol,
  type ServerTransaction,
  type Source,
  type TimerSettings,
} from '../../src/engine/types.js';
import { type Clock, systemClock } from '../../src/platform/clock.js';
import { silentLogger } from '../../src/platform/logger.js';
import type { SipRequest, SipResponse } from '../../src/sip/message.js';
import { parseMessage } from '../../src/sip/parser.js';
import { Inbox } from './inbox.js';

/** T1 of 20 ms and all else in proportion: 64*T1 is 1.3 s. */
export const FAST_TIMERS: TimerSettings = { t1Ms: 20, t2Ms: 160, t4Ms: 200, timerCMs: 7_400 };

export interface StackOptions {
  listeners?: readonly ListenerSpec[];
  clock?: Clock;
  timers?: TimerSettings;
  transportLimits?: Partial<TransportLimits>;
  transactionLimits?: Partial<TransactionLimits>;
  advertise?: TransportLayerOptions['advertise'];
  tls?: TransportLayerOptions['tls'];
  origins?: TransportLayerOptions['origins'];
  admission?: TransportLayerOptions['admission'];
}

/** Transport and transaction layers on real sockets, with what they tell their user kept in inboxes. */
export interface Stack {
  readonly transport: TransportLayer;
  readonly transactions: TransactionLayer;
  readonly listeners: readonly BoundListener[];
  /** Port of the first listener of a protocol. */
  port(protocol: Protocol): number;
  readonly requests: Inbox<ServerTransaction>;
  readonly acks: Inbox<{ ack: SipRequest; source: Source }>;
  readonly strays: Inbox<SipResponse>;
  close(): Promise<void>;
}

const LOOPBACK: readonly ListenerSpec[] = [
  { protocol: 'udp', address: '127.0.0.1', port: 0 },
  { protocol: 'tcp', address: '127.0.0.1', port: 0 },
];

export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const clock = options.clock ?? systemClock;
  const transport = new TransportLayer({
    listeners: options.listeners ?? LOOPBACK,
    clock,
    log: silentLogger,
    ...(options.transportLimits ? { limits: options.transportLimits } : {}),
    ...(options.tls ? { tls: options.tls } : {}),
    ...(options.origins ? { origins: options.origins } : {}),
    ...(options.advertise ? { advertise: options.advertise } : {}),
    ...(options.admission ? { admission: options.admission } : {}),
  });
  const listeners = await transport.start();
  const requests = new Inbox<ServerTransaction>();
  const acks = new Inbox<{ ack: SipRequest; source: Source }>();
  const strays = new Inbox<SipResponse>();
  const transactions = new TransactionLayer({
    transport,
    clock,
    timers: options.timers ?? DEFAULT_TIMERS,
    log: silentLogger,
    ...(options.transactionLimits ? { limits: options.transactionLimits } : {}),
    user: {
      onRequest: (tx) => requests.push(tx),
      onAck: (ack, source) => acks.push({ ack, source }),
      onStrayResponse: (response) => strays.push(response),
    },
  });
  return {
    transport,
    transactions,
    listeners,
    requests,
    acks,
    strays,
    port: (protocol) => listeners.find((listener) => listener.protocol === protocol)?.port ?? 0,
    close: async () => {
      await transactions.close();
      await transport.close();
    },
  };
}

/** A client transaction's user that keeps what it is told. */
export class RecordingClientUser implements ClientTransactionUser {
  readonly responses = new Inbox<SipResponse>();
  readonly failures = new Inbox<FailureReason>();
  readonly terminations = new Inbox<ClientTransaction>();
  /** Everything in order: `200`, `timeout`, `terminated`. */
  readonly events: string[] = [];

  onResponse(_tx: ClientTransaction, response: SipResponse): void {
    this.events.push(String(response.statusCode));
    this.responses.push(response);
  }

  onFailure(_tx: ClientTransaction, reason: FailureReason): void {
    this.events.push(reason);
    this.failures.push(reason);
  }

  onTerminated(tx: ClientTransaction): void {
    this.events.push('terminated');
    this.terminations.push(tx);
  }
}

/** The request that some text stands for, without its Via: what a user hands to `createClient`. */
export function requestFrom(text: string): SipRequest {
  const message = parseMessage(Buffer.from(text, 'latin1'));
  if (message.type !== 'request') throw new Error('not a request');
  return message.remove('via') as SipRequest;
}
