import type { Protocol } from '../types.js';
import type { NaptrRecord } from './dns-message.js';
import { isSecure } from './target.js';

/** One place to look for servers: a name with SRV records, and the transport they speak. */
export interface Service {
  readonly protocol: Protocol;
  readonly srvName: string;
}

/** Service fields of NAPTR records (RFC 3263 §4.1, RFC 7118). */
const NAPTR_SERVICES: Readonly<Record<string, Protocol>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
  'SIP+D2W': 'ws',
  'SIPS+D2W': 'wss',
};
/** RFC 3263 §4.2. No SRV name is defined for WebSocket. */
const SRV_PREFIXES: Partial<Record<Protocol, string>> = {
  udp: '_sip._udp.',
  tcp: '_sip._tcp.',
  tls: '_sips._tcp.',
};

/**
 * The services that NAPTR records offer and we can use, best first: those of the lowest order that has any (RFC 3403
 * §4.1), by preference.
 */
export function offeredServices(
  records: readonly NaptrRecord[],
  secure: boolean,
  canUse: (protocol: Protocol) => boolean,
): Service[] {
  const usable = records.flatMap((record) => {
    const protocol = NAPTR_SERVICES[record.services.toUpperCase()];
    const leadsToSrv = record.flags.toLowerCase() === 's' && record.regexp === '';
    // RFC 3263 §4.1: services without SIPS are not for a sips: URI.
    if (!protocol || !leadsToSrv || (secure && !isSecure(protocol)) || !canUse(protocol)) return [];
    return [{ record, service: { protocol, srvName: record.replacement } }];
  });
  const lowest = Math.min(...usable.map(({ record }) => record.order));
  return usable
    .filter(({ record }) => record.order === lowest)
    .sort((a, b) => a.record.preference - b.record.preference)
    .map(({ service }) => service);
}

/** The services that a name may have without NAPTR records to say so (RFC 3263 §4.1): in the order of our choice. */
export function guessedServices(
  name: string,
  secure: boolean,
  canUse: (protocol: Protocol) => boolean,
): Service[] {
  const protocols: readonly Protocol[] = secure ? ['tls'] : ['udp', 'tcp'];
  return protocols.filter(canUse).flatMap((protocol) => serviceOf(protocol, name) ?? []);
}

/** Where the servers of one transport are listed; undefined when it has no such place. */
export function serviceOf(protocol: Protocol, name: string): Service | undefined {
  const prefix = SRV_PREFIXES[protocol];
  return prefix === undefined ? undefined : { protocol, srvName: prefix + name };
}
