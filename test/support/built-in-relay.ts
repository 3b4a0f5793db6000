import { type RunningRelay, startRelay } from '../../src/media/relay/start-relay.js';
import { systemClock } from '../../src/platform/clock.js';
import { silentLogger } from '../../src/platform/logger.js';
import { freePorts } from './free-ports.js';

/** A relay of our own with one control socket over UDP and few ports, 20 others each time unless told. The caller closes it. */
export async function startSmallRelay(ports?: { min: number; max: number }): Promise<RunningRelay> {
  const options = { bindAddress: '127.0.0.1', clock: systemClock, log: silentLogger };
  return startRelay({ control: ['udp:127.0.0.1:0'], ports: ports ?? (await freePorts(20)), ...options });
}
