import { ConfigError } from './errors.js';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Gives the old server's variables their present meaning, where the new ones are not set:
 * RTPPROXY_UDP_HOST/_PORT and RTPPROXY_TCP_HOST/_PORT choose RTPProxy at that address, ENABLE_TCP=false listens on UDP only.
 */
export function applyOldNames(env: Env): Env {
  const result: Record<string, string | undefined> = { ...env };
  const relay = oldRelay(env);
  if (relay !== undefined && !env['MEDIA_RELAY']) result['MEDIA_RELAY'] = relay;
  if (/^(false|no|off|0)$/i.test(env['ENABLE_TCP'] ?? '') && !env['SIP_LISTEN']) {
    result['SIP_LISTEN'] = 'udp:0.0.0.0:5060';
  }
  return result;
}

/** The relay URL that the old variables name; TCP is preferred as the old server did. */
function oldRelay(env: Env): string | undefined {
  for (const kind of ['TCP', 'UDP'] as const) {
    const host = env[`RTPPROXY_${kind}_HOST`];
    if (!host) continue;
    const port = env[`RTPPROXY_${kind}_PORT`] || '7722';
    if (!/^\d{1,5}$/.test(port)) throw new ConfigError(`RTPPROXY_${kind}_PORT`, port, 'a port number');
    return `rtpproxy+${kind.toLowerCase()}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
  return undefined;
}
