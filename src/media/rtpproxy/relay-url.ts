import { AppError } from '../../platform/errors.js';

/** Where an RTPProxy takes commands. */
export type RelayUrl =
  | { readonly name: string; readonly kind: 'udp' | 'tcp'; readonly host: string; readonly port: number }
  | { readonly name: string; readonly kind: 'unix'; readonly path: string };

/** RTPProxy's own choice of a control port. */
const DEFAULT_PORT = 7722;

/**
 * Reads `rtpproxy+udp://host:port`, `rtpproxy+tcp://host:port` or `rtpproxy+unix:///path`; the port is 7722 unless
 * given, IPv6 addresses stand in brackets. Throws AppError BAD_RELAY_URL.
 */
export function parseRelayUrl(text: string): RelayUrl {
  const unix = /^rtpproxy\+unix:\/\/(\/[^\s]+)$/.exec(text);
  if (unix) return { name: text, kind: 'unix', path: unix[1]! };
  const network = /^rtpproxy\+(udp|tcp):\/\/(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+))(?::(\d{1,5}))?\/?$/.exec(text);
  const port = network?.[4] === undefined ? DEFAULT_PORT : Number(network[4]);
  if (!network || port < 1 || port > 65_535) {
    const message = `'${text}' is not rtpproxy+udp://host:port, rtpproxy+tcp://host:port or rtpproxy+unix:///path`;
    throw new AppError('BAD_RELAY_URL', message);
  }
  return { name: text, kind: network[1] as 'udp' | 'tcp', host: (network[2] ?? network[3])!, port };
}

/** The URL in full, its port written out. */
export function describeRelayUrl(url: RelayUrl): string {
  if (url.kind === 'unix') return `rtpproxy+unix://${url.path}`;
  const host = url.host.includes(':') ? `[${url.host}]` : url.host;
  return `rtpproxy+${url.kind}://${host}:${url.port}`;
}

/** Whether `text` is this URL in full, however it is written; false for what cannot be read. */
export function isSameRelay(text: string | undefined, url: string): boolean {
  try {
    return text !== undefined && describeRelayUrl(parseRelayUrl(text)) === url;
  } catch {
    return false;
  }
}
