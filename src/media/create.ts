import type { Clock } from '../platform/clock.js';
import { AppError } from '../platform/errors.js';
import type { Logger } from '../platform/logger.js';
import { startRelayWorker } from './relay/host.js';
import { createRtpProxyRelay } from './rtpproxy/rtpproxy-relay.js';
import type { MediaRelay } from './types.js';

/** Name of the built-in relay in figures and health. */
export const EMBEDDED_RELAY = 'embedded';

export interface CreateMediaRelayOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** `SERVER_IP`: what phones are told. */
  readonly address: string;
  /** What phones that speak IPv6 are told; without it the built-in relay refuses their streams. */
  readonly address6?: string;
  /** Where the built-in relay binds its IPv4 media ports; default 0.0.0.0. */
  readonly bindAddress?: string;
  /** `RTP_PORTS` of the built-in relay, inclusive. */
  readonly rtpPorts: { readonly min: number; readonly max: number };
  /** Silence after which the built-in relay frees a call's ports, milliseconds; default 60,000. */
  readonly sessionTimeoutMs?: number;
}

/**
 * Makes the relay that `MEDIA_RELAY` names: `embedded` starts the built-in one in a thread of its own, anything else
 * is one RTPProxy URL or several with commas between. Both are spoken to in the same protocol. The caller closes it.
 * Rejects with AppError BAD_RELAY_URL or RELAY_FAILED.
 */
export async function createMediaRelay(
  setting: string,
  options: CreateMediaRelayOptions,
): Promise<MediaRelay> {
  const { clock, log, address } = options;
  if (setting.trim() === EMBEDDED_RELAY) return createEmbeddedRelay(options);
  const urls = setting.split(',').map((url) => url.trim());
  if (urls.includes(EMBEDDED_RELAY)) {
    throw new AppError('BAD_RELAY_URL', `'${EMBEDDED_RELAY}' cannot be one of several media relays`);
  }
  return createRtpProxyRelay(urls, { clock, log, address });
}

async function createEmbeddedRelay(options: CreateMediaRelayOptions): Promise<MediaRelay> {
  const { clock, log, address, address6, bindAddress, rtpPorts: ports, sessionTimeoutMs } = options;
  const worker = await startRelayWorker({
    log,
    ports,
    advertisedAddress: address,
    ...(address6 !== undefined && { advertisedAddress6: address6, bindAddress6: '::' }),
    ...(bindAddress !== undefined && { bindAddress }),
    ...(sessionTimeoutMs !== undefined && { sessionTimeoutMs }),
  });
  const relay = createRtpProxyRelay([worker.controlUrl], { clock, log, address, names: [EMBEDDED_RELAY] });
  return {
    open: (id) => relay.open(id),
    resume: relay.resume!.bind(relay),
    health: () => relay.health(),
    control: relay.control!,
    figures: async () => ({ ...(await worker.stats()) }),
    close: async () => {
      await relay.close();
      await worker.close();
    },
  };
}
