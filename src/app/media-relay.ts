import { isIPv6 } from 'node:net';
import type { Config } from '../config/schema.js';
import { createMediaRelay, EMBEDDED_RELAY } from '../media/create.js';
import { type RelayService, StoredRelays } from '../media/stored-relays.js';
import type { MediaRelay } from '../media/types.js';
import { systemClock } from '../platform/clock.js';
import { detectServerIp, detectServerIp6 } from '../platform/local-address.js';
import type { Store } from '../store/types.js';
import { startRtpProxy } from './rtpproxy-process.js';
import type { ServerContext } from './server-context.js';
import { serverIpOf } from './server-ip.js';

/** The relay in use, and what people are told of it. */
export interface OpenedRelay {
  readonly relay: MediaRelay;
  /** `embedded` or RTPProxy URLs. */
  readonly name: string;
}

/** Opens the relay that MEDIA_RELAY names; with RTPPROXY_AUTO_START an rtpproxy of ours takes the built-in one's place. */
export async function openMediaRelay(context: ServerContext): Promise<OpenedRelay> {
  const { config, logs, parts, serverIp } = context;
  const name = await chooseRelay(context, config);
  const relay = await createMediaRelay(name, {
    clock: systemClock,
    log: logs.for('media'),
    ...mediaAddresses(serverIp, config.SIP_LISTEN),
    rtpPorts: { min: config.RTP_PORTS.first, max: config.RTP_PORTS.last },
    sessionTimeoutMs: config.RTP_TIMEOUT_SEC * 1000,
  });
  return { relay: parts.own('media', relay), name };
}

/** The relays as operators manage them; what the Store knows of them is taken over before calls come. */
export async function openRelayService(
  { parts, logs }: ServerContext,
  { relay, name }: OpenedRelay,
  store: Store,
  node: string,
): Promise<RelayService> {
  const isAlone = name === EMBEDDED_RELAY;
  const options = {
    store,
    control: relay.control!,
    isAlone,
    node,
    clock: systemClock,
    log: logs.for('media'),
  };
  const relays = parts.own('relays', new StoredRelays(options));
  await relays.start();
  return relays;
}

/**
 * What phones of either family are told. IPv6 is relayed when SIP is taken over IPv6: at the address that it is taken
 * at, or that of the machine when that is all of them.
 */
export function mediaAddresses(
  serverIp: string,
  listeners: Config['SIP_LISTEN'],
): { address: string; address6?: string } {
  if (isIPv6(serverIp)) return { address: detectServerIp(), address6: serverIp };
  const bound = listeners.map(({ address }) => address).filter((address) => isIPv6(address));
  if (bound.length === 0) return { address: serverIp };
  const address6 = bound.find((address) => address !== '::') ?? detectServerIp6() ?? '::1';
  return { address: serverIp, address6 };
}

async function chooseRelay(context: ServerContext, config: Config): Promise<string> {
  const { MEDIA_RELAY, RTPPROXY_AUTO_START, RTP_PORTS, RTP_TIMEOUT_SEC } = config;
  if (!RTPPROXY_AUTO_START || MEDIA_RELAY !== 'embedded') return MEDIA_RELAY;
  const rtpproxy = context.parts.own(
    'rtpproxy',
    await startRtpProxy({
      address: serverIpOf(config),
      ports: RTP_PORTS,
      timeoutSec: RTP_TIMEOUT_SEC,
      log: context.logs.for('media'),
    }),
  );
  void rtpproxy.died.then((reason) => reason && context.fail(reason));
  return rtpproxy.url;
}
