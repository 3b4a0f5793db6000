import type { Config } from '../config/schema.js';
import { createMediaRelay } from '../media/create.js';
import type { MediaRelay } from '../media/types.js';
import { systemClock } from '../platform/clock.js';
import { detectServerIp } from '../platform/local-address.js';
import { startRtpProxy } from './rtpproxy-process.js';
import type { ServerContext } from './server-context.js';

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
    address: serverIp,
    rtpPorts: { min: config.RTP_PORTS.first, max: config.RTP_PORTS.last },
    sessionTimeoutMs: config.RTP_TIMEOUT_SEC * 1000,
  });
  return { relay: parts.own('media', relay), name };
}

async function chooseRelay(context: ServerContext, config: Config): Promise<string> {
  const { MEDIA_RELAY, RTPPROXY_AUTO_START, RTP_PORTS, RTP_TIMEOUT_SEC } = config;
  if (!RTPPROXY_AUTO_START || MEDIA_RELAY !== 'embedded') return MEDIA_RELAY;
  const rtpproxy = context.parts.own(
    'rtpproxy',
    await startRtpProxy({
      address: config.SERVER_IP ?? detectServerIp(),
      ports: RTP_PORTS,
      timeoutSec: RTP_TIMEOUT_SEC,
      log: context.logs.for('media'),
    }),
  );
  void rtpproxy.died.then((reason) => reason && context.fail(reason));
  return rtpproxy.url;
}
