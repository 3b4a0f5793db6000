import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import type { SipRequest } from '../../sip/message.js';
import type { DialogTable } from '../dialog/dialog-table.js';
import type { SentRequest } from '../transaction/transaction-layer.js';
import type { Outlet } from '../transport/types.js';
import type { ClientTransaction, ClientTransactionUser, FlowId, Hop, TimerSettings } from '../types.js';
import type { ApplicationDirectory } from './application.js';
import type { CallEvents } from './call-events.js';
import type { CoreCounters } from './core-counters.js';
import type { CoreDialog } from './core-dialog.js';
import type { DialogKeeper } from './dialog-keeper.js';
import type { LocalEnd } from './local-addressing.js';
import type { RegisteredFlows } from './registered-flows.js';
import type { RequestScreen } from './request-screen.js';
import type { ProxyRequest, RequestRouter } from './way.js';

/** What the core's parts share: the layers below it, the table of dialogs, settings. */
export interface CoreContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly timers: TimerSettings;
  readonly counters: CoreCounters;
  readonly dialogs: DialogTable<CoreDialog>;
  readonly applications: ApplicationDirectory;
  readonly registeredFlows: RegisteredFlows;
  readonly keeper: DialogKeeper;
  readonly callEvents: CallEvents;
  /** Answers requests that no application should see. */
  readonly screen: RequestScreen;
  readonly router: RequestRouter;
  /** For requests that the router wants proxied. */
  readonly proxy: ProxyRequest;
  /** True: each INVITE gets a 180 at once, whatever its application does. */
  readonly alwaysSend180: boolean;
  /** False: in-dialog requests go where Contact and routes say, never back to where the peer was seen. */
  readonly detectNat: boolean;
  /** Throws TransportError when nothing listens with that protocol. */
  outlet(hop: Hop): Outlet;
  /** Whether that connection is still there. */
  hasFlow(flow: FlowId): boolean;
  /** The next hop for a URI (RFC 3263); at once for addresses, rejects or throws ResolveError. */
  resolve(uri: string): Hop | Promise<Hop>;
  createClient(
    request: SipRequest,
    hop: Hop,
    user: ClientTransactionUser,
    branchTail?: string,
  ): ClientTransaction;
  sendStateless(request: SipRequest, hop: Hop): SentRequest;
  /** True when a URI names this engine. */
  isOwnUri(uri: string): boolean;
  /** How close an address is to us: 2 loopback, 1 another address of this machine, 0 elsewhere. */
  nearness(address: string): number;
  /** Our end when no next hop is known. */
  defaultEnd(): LocalEnd;
}
