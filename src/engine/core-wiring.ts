import type { Clock } from '../platform/clock.js';
import type { Logger } from '../platform/logger.js';
import { CallEvents } from './core/call-events.js';
import { ClientStarter, DEFAULT_UDP_MAX_BYTES } from './core/client-starter.js';
import type { CoreContext } from './core/core-context.js';
import { RegisteredFlows } from './core/registered-flows.js';
import { RequestScreen } from './core/request-screen.js';
import type { DrachtioServer } from './drachtio/drachtio-server.js';
import type { EngineOptions } from './engine-options.js';
import type { OwnAddresses } from './own-addresses.js';
import type { ProxyCore } from './proxy/proxy-core.js';
import type { NextHops } from './resolve/next-hops.js';
import type { TransactionLayer } from './transaction/transaction-layer.js';
import type { TransportLayer } from './transport/transport-layer.js';
import type { BoundListener, Outlet } from './transport/types.js';
import type { Hop } from './types.js';

/** The layers below the core and beside it. The core is there before its transactions and the proxy, which are asked for late. */
export interface CoreParts
  extends Pick<CoreContext, 'clock' | 'log' | 'timers' | 'counters' | 'dialogs' | 'keeper' | 'router'> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly options: EngineOptions;
  readonly server: DrachtioServer;
  readonly own: OwnAddresses;
  readonly transport: TransportLayer;
  readonly nextHops: NextHops;
  /** At least one; bound. */
  readonly listeners: readonly BoundListener[];
  transactions(): TransactionLayer;
  proxy(): ProxyCore | undefined;
}

/** What the core sees of the layers around it. */
export function coreContext(parts: CoreParts): CoreContext {
  const { options, clock, log, timers, counters, dialogs, keeper, router } = parts;
  const { server, own, transport, nextHops } = parts;
  const outlet = (hop: Hop): Outlet => transport.outlet(hop);
  const clients = new ClientStarter({
    clock,
    log,
    timers,
    counters,
    failed: nextHops.failed,
    udpMaxBytes: options.udpMaxBytes ?? DEFAULT_UDP_MAX_BYTES,
    outlet,
    createClient: (...args) => parts.transactions().createClient(...args),
    sendStateless: (...args) => parts.transactions().sendStateless(...args),
  });
  return {
    clock,
    log,
    timers,
    counters,
    dialogs,
    applications: server,
    registeredFlows: new RegisteredFlows(),
    keeper,
    callEvents: new CallEvents(server),
    detectNat: options.detectNat ?? true,
    screen: new RequestScreen(options.screen),
    router,
    proxy: (tx, order) => parts.proxy()?.route(tx, order) ?? false,
    alwaysSend180: options.alwaysSend180 ?? false,
    outlet,
    hasFlow: (flow) => transport.hasFlow(flow),
    resolve: (uri) => nextHops.find(uri),
    createClient: (...args) => clients.createClient(...args),
    sendStateless: (request, hop) => clients.sendStateless(request, hop),
    isOwnUri: (uri) => own.isOwnUri(uri),
    nearness: (address) => own.nearness(address),
    defaultEnd: () => {
      const first = parts.listeners[0]!;
      return { protocol: first.protocol, sentBy: { host: first.address, port: first.port } };
    },
  };
}
