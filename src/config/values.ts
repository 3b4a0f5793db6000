import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';

/** Transports this version can listen on. */
export const LISTEN_PROTOCOLS = ['udp', 'tcp', 'tls', 'ws', 'wss'] as const;
export type ListenProtocol = (typeof LISTEN_PROTOCOLS)[number];

export interface SipListener {
  readonly protocol: ListenProtocol;
  readonly address: string;
  readonly port: number;
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Makes a zod type of a text parser: `parse` returns undefined for what is not allowed. */
function text<T>(allowed: string, parse: (given: string) => T | undefined): z.ZodType<T, string> {
  return z.string().transform((given, context) => {
    const value = parse(given.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: allowed });
    return z.NEVER;
  });
}

/** Host and port; IPv6 in brackets. */
export function parseHostPort(given: string): HostPort | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(given);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || port > 65_535) return undefined;
  return { host, port };
}

function parseListener(given: string): SipListener | undefined {
  const [protocol, ...rest] = given.split(':');
  const at = parseHostPort(rest.join(':'));
  const known = LISTEN_PROTOCOLS.find((name) => name === protocol?.toLowerCase());
  if (!known || !at || isIP(at.host) === 0) return undefined;
  return { protocol: known, address: at.host, port: at.port };
}

/** Parses a comma list with `parse`; undefined when one element fails or the list is empty. */
function parseList<T>(given: string, parse: (item: string) => T | undefined): T[] | undefined {
  const items = given.split(',').map((item) => parse(item.trim()));
  return items.length > 0 && items.every((item) => item !== undefined) ? (items as T[]) : undefined;
}

export const listeners = text(
  'a list such as udp:0.0.0.0:5060,tls:[::]:5061 (udp, tcp, tls, ws, wss)',
  (given) => parseList(given, parseListener),
);

export const hostPort = text('host:port, IPv6 in brackets', parseHostPort);

export const ipAddress = text('an IPv4 or IPv6 address', (given) => (isIP(given) > 0 ? given : undefined));

/** `AUTO_DETECT` is the old server's word for "not set". */
export const serverIp = text('an IPv4 or IPv6 address, or AUTO_DETECT', (given) =>
  given.toUpperCase() === 'AUTO_DETECT' ? '' : isIP(given) > 0 ? given : undefined,
);

export const portRange = text(
  'first-last, 1024..65535, at least four ports, such as 20000-29999',
  (given) => {
    const match = /^(\d{1,5})-(\d{1,5})$/.exec(given);
    const range: PortRange = { first: Number(match?.[1]), last: Number(match?.[2]) };
    return range.first >= 1024 && range.last <= 65_535 && range.last - range.first >= 3 ? range : undefined;
  },
);

export const cidrs = text('networks such as 10.0.0.0/8,192.168.0.0/16', (given) =>
  parseList(given, (item) => {
    try {
      ipaddr.parseCIDR(item);
      return item;
    } catch {
      return undefined;
    }
  }),
);

export const advertiseRules = text(
  'network=address, such as 10.0.0.0/8=10.1.2.3,0.0.0.0/0=203.0.113.5',
  (given) => (given === '' ? [] : parseList(given, parseAdvertiseRule)),
);

export interface AdvertiseRule {
  readonly network: string;
  readonly address: string;
}

function parseAdvertiseRule(given: string): AdvertiseRule | undefined {
  const [network = '', address = ''] = given.split('=').map((part) => part.trim());
  const isNetwork = ipaddr.isValidCIDR(network);
  return isNetwork &&
    isIP(address) > 0 &&
    ipaddr.parseCIDR(network)[0].kind() === ipaddr.parse(address).kind()
    ? { network, address }
    : undefined;
}

/** A whole number with its range in the message. */
export function whole(min: number, max: number): z.ZodType<number, string> {
  return text(`a whole number ${min}..${max}`, (given) => {
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** 0, or a whole number of a range. */
export function wholeOrZero(min: number, max: number): z.ZodType<number, string> {
  return text(`0, or a whole number ${min}..${max}`, (given) => {
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
    return value === 0 || (value >= min && value <= max) ? value : undefined;
  });
}

/** One of a few words, folded to lower case. */
export function oneOf<const T extends string>(words: readonly T[]): z.ZodType<T, string> {
  return text(words.join(' | '), (given) => words.find((word) => word === given.toLowerCase()));
}

export const flag = text('true | false', (given) =>
  /^(true|yes|on|1)$/i.test(given) ? true : /^(false|no|off|0)$/i.test(given) ? false : undefined,
);

export const nonEmpty = text('any text', (given) => given || undefined);

export const realm = text('letters, digits, dots and dashes, up to 255', (given) =>
  /^[A-Za-z0-9.-]{1,255}$/.test(given) ? given : undefined,
);

export const domainList = text('domain names or addresses, separated by commas', (given) =>
  given === ''
    ? []
    : parseList(given, (item) => (/^[A-Za-z0-9.:[\]-]{1,255}$/.test(item) ? item.toLowerCase() : undefined)),
);

/** Addresses of DNS servers with or without a port; an empty list is allowed. */
export const dnsServers = text('addresses such as 192.0.2.53,[2001:db8::53]:5353', (given) =>
  given === ''
    ? []
    : parseList(given, (item) =>
        isIP(item) > 0 || isIP(parseHostPort(item)?.host ?? '') > 0 ? item : undefined,
      ),
);

export const engineUrl = text('embedded | drachtio://:secret@host:9022', (given) =>
  given === 'embedded' || /^drachtio:\/\/[^\s]+$/.test(given) ? given : undefined,
);

export const relaySetting = text(
  'embedded | a list of rtpproxy+udp://host:port, rtpproxy+tcp://host:port, rtpproxy+unix:///path',
  (given) =>
    given === 'embedded' ||
    given.split(',').every((url) => /^rtpproxy\+(udp|tcp|unix):\/\/\S+$/.test(url.trim()))
      ? given
      : undefined,
);

export const webUrl = text('an http:// or https:// URL', (given) =>
  /^https?:\/\/[^\s]+$/i.test(given) && URL.canParse(given) ? given : undefined,
);

export const storeUrl = text('embedded: | embedded:/path | redis://host:6379/0 | rediss://…', (given) =>
  /^(embedded:.*|rediss?:\/\/\S+)$/.test(given) ? given : undefined,
);

/** Digest algorithms for which users have an HA1. */
export const digestAlgorithms = text('MD5,SHA-256 or SHA-256,MD5 or one of them', (given) => {
  const algorithms = parseList(given, (item) =>
    (['MD5', 'SHA-256'] as const).find((name) => name === item.toUpperCase()),
  );
  return new Set(algorithms).size === algorithms?.length ? algorithms : undefined;
});

/** Origins as browsers send them, in lower case. */
export const origins = text('origins such as https://phone.example.com, separated by commas', (given) =>
  given === ''
    ? []
    : parseList(given, (item) => (/^https?:\/\/[^\s/]+$/i.test(item) ? item.toLowerCase() : undefined)),
);
