import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createAudioHost } from '../audio/host.js';
import { SoundLibrary } from '../audio/sound-library.js';
import type { AudioHost } from '../audio/types.js';
import { errorMessage } from '../platform/errors.js';
import type { ServerContext } from './server-context.js';
import { serverIpOf } from './server-ip.js';

const [LOOPBACK, LOOPBACK6] = ['127.0.0.1', '::1'];

/** Audio of our own, and the sounds that it plays. */
export interface OpenedAudio {
  readonly host: AudioHost;
  readonly sounds: SoundLibrary;
  /** Where endpoints are. */
  readonly address: string;
}

/** Opens both; the audio thread starts when it is first wanted. `relay` is the relay's name (docs/adr/0008). */
export function openAudio(context: ServerContext, relay: string): OpenedAudio {
  const { config, logs, parts } = context;
  const log = logs.for('audio');
  const { first: min, last: max } = config.AUDIO_PORTS;
  const isOwn = relay === 'embedded';
  const address = isOwn ? LOOPBACK : serverIpOf(config);
  const host = createAudioHost({
    address,
    // The built-in relay tells phones an address that may be a NAT's; it listens on all of this machine's.
    ...(isOwn && { address6: LOOPBACK6, isRelayHere: true }),
    ports: { min, max },
    log,
  });
  const directory = resolve(config.SOUNDS_DIR ?? join(config.DATA_DIR, 'sounds'));
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    log.warn({ directory, reason: errorMessage(error) }, 'the directory of sounds cannot be made');
  }
  return { host: parts.own('audio', host), sounds: new SoundLibrary(directory, host), address };
}
