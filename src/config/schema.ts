import type { z } from 'zod';
import { LOG_LEVELS } from '../platform/logger.js';
import * as v from './values.js';

/** One setting: its type, its default as text, what it means, and whether it may change while running. */
interface Setting<T extends z.ZodType> {
  readonly type: T;
  /** As a person would write it; absent means "not set" is allowed. */
  readonly default?: string;
  readonly meaning: string;
  /** Changes at run time take effect at once. */
  readonly live?: boolean;
  /** Needed before the Store is open, so that the console cannot keep it there. */
  readonly early?: boolean;
  /** Never printed; of a `url` all but name and password is. */
  readonly secret?: true | 'url';
}

/** Keeps each entry's exact type, so that Config knows which settings always have a value. */
const setting = <const S extends Setting<z.ZodType>>(options: S): S => options;

/** Every setting of the server; defaults, units and ranges are stated here and nowhere else. */
export const SETTINGS = {
  SERVER_IP: setting({
    type: v.serverIp,
    meaning: 'address put into SIP and SDP; that of SIP_LISTEN or detected when not set',
  }),
  EXTERNAL_IP: setting({
    type: v.ipAddress,
    meaning:
      'public address of this server behind a NAT: put into SDP, and into SIP for peers outside LOCAL_NETWORK_CIDR',
  }),
  LOCAL_NETWORK_CIDR: setting({
    type: v.cidrs,
    default: '10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,127.0.0.0/8,fc00::/7,::1/128',
    meaning: 'networks whose phones are told SERVER_IP, not EXTERNAL_IP, in SIP',
  }),
  ADVERTISE: setting({
    type: v.advertiseRules,
    default: '',
    meaning:
      'what peers of a network are told in SIP, network=address by comma; the narrowest counts, else SERVER_IP and EXTERNAL_IP',
  }),
  SIP_LISTEN: setting({
    type: v.listeners,
    default: 'udp:0.0.0.0:5060,tcp:0.0.0.0:5060',
    meaning: 'where SIP is taken: protocol:address:port (udp, tcp, tls, ws, wss), several by comma',
  }),
  SIP_TLS_CERT: setting({
    type: v.nonEmpty,
    meaning:
      'certificate of tls and wss listeners with its chain, PEM file; a self-signed one is made under DATA_DIR when not set',
  }),
  SIP_TLS_KEY: setting({ type: v.nonEmpty, meaning: 'its private key, PEM file; SIP_TLS_CERT when not set' }),
  SIP_TLS_CA: setting({
    type: v.nonEmpty,
    meaning: 'authorities trusted besides the public ones, PEM file',
  }),
  SIP_TLS_VERIFY_CLIENT: setting({
    type: v.oneOf(['off', 'optional', 'require']),
    default: 'off',
    meaning: 'whether phones must show a certificate (wss: browsers too)',
  }),
  SIP_TLS_VERIFY_SERVER: setting({
    type: v.flag,
    default: 'true',
    meaning: 'refuse servers we call over TLS whose certificate is not good for their name',
  }),
  SIP_TLS_MIN_VERSION: setting({
    type: v.oneOf(['1.2', '1.3']),
    default: '1.2',
    meaning: 'lowest version of TLS',
  }),
  SIP_WS_ORIGINS: setting({
    type: v.origins,
    default: '',
    meaning: 'origins whose pages may open a WebSocket, such as https://phone.example.com; empty: all',
  }),
  SIP_SOURCE_CONNECTIONS: setting({
    type: v.whole(0, 1_000_000),
    default: '1000',
    meaning: 'connections one source may hold, an IPv4 address or IPv6 /64; 0: any number',
  }),
  SIP_SOURCE_RATE: setting({
    type: v.whole(0, 1_000_000),
    default: '1000',
    meaning: 'SIP messages a second taken from one source, an IPv4 address or IPv6 /64; 0: any number',
  }),
  SIP_SOURCE_BURST: setting({
    type: v.whole(1, 1_000_000),
    default: '5000',
    meaning: 'messages one source may send at once before SIP_SOURCE_RATE counts',
  }),
  SIP_TRUSTED: setting({
    type: v.cidrs,
    default: '127.0.0.0/8,::1/128',
    meaning:
      'networks SIP_SOURCE_RATE, SIP_SOURCE_CONNECTIONS and BAN_AFTER do not count for: trunks, load testers; IPv6 ones a /64 or larger',
  }),
  BAN_AFTER: setting({
    type: v.whole(0, 1_000_000),
    default: '30',
    meaning:
      'offences (wrong passwords; over connections also what is no SIP) within BAN_WINDOW_SEC that get a source banned; 0: none is',
    live: true,
  }),
  BAN_WINDOW_SEC: setting({
    type: v.whole(10, 86_400),
    default: '300',
    meaning: 'time in which the offences of a source are counted together, seconds',
    live: true,
  }),
  BAN_SEC: setting({
    type: v.whole(1, 31_536_000),
    default: '600',
    meaning:
      'how long a source is banned, seconds; twice as long each further time within a day, up to a day',
    live: true,
  }),
  OVERLOAD_DELAY_MS: setting({
    type: v.whole(0, 60_000),
    default: '250',
    meaning: 'event-loop delay of the SIP engine from which new requests get 503, milliseconds; 0: never',
  }),
  OVERLOAD_WAITING: setting({
    type: v.whole(0, 50_000),
    default: '3000',
    meaning: 'requests waiting for the application from which new ones get 503; 0: never',
  }),
  SIP_PACE_MS: setting({
    type: v.whole(0, 20),
    default: '2',
    meaning: 'a busy SIP engine handles what came in every so many milliseconds together; 0: at once',
  }),
  DNS_SERVERS: setting({
    type: v.dnsServers,
    default: '',
    meaning:
      'DNS servers that host names in SIP are looked up with, in this order; none: those of the machine',
  }),
  SIP_UDP_MAX_BYTES: setting({
    type: v.whole(0, 65_535),
    default: '1300',
    meaning: 'larger requests to UDP peers go by TCP where a peer takes that (path MTU less 200); 0: never',
  }),
  SIP_REALM: setting({
    type: v.realm,
    default: 'ims',
    meaning: 'digest realm; passwords are stored for this realm',
  }),
  SIP_DOMAINS: setting({
    type: v.domainList,
    default: '',
    meaning: 'further domains of this server in SIP URIs; its own addresses and the realm always are',
  }),
  AUTH_ALGORITHMS: setting({
    type: v.digestAlgorithms,
    default: 'MD5,SHA-256',
    meaning: 'digest algorithms offered to phones, in this order; many old ones need MD5 first',
  }),
  SIP_ENGINE: setting({
    type: v.engineUrl,
    default: 'embedded',
    meaning: 'SIP engine: embedded, or a drachtio-server',
    secret: 'url',
  }),
  MEDIA_RELAY: setting({
    type: v.relaySetting,
    default: 'embedded',
    meaning: 'media relay: embedded, or RTPProxy URLs',
  }),
  RTPPROXY_AUTO_START: setting({
    type: v.flag,
    default: 'false',
    meaning: 'with MEDIA_RELAY=embedded: start an installed rtpproxy instead of the built-in relay',
  }),
  RTP_PORTS: setting({ type: v.portRange, default: '20000-29999', meaning: 'ports of the built-in relay' }),
  RTP_TIMEOUT_SEC: setting({
    type: v.whole(5, 86_400),
    default: '60',
    meaning: 'the built-in relay frees a call that had no packet for so many seconds',
  }),
  AUDIO_PORTS: setting({
    type: v.portRange,
    default: '30000-31999',
    meaning:
      'ports of audio of our own (announcements, dialler, conferences), two a party; on loopback with the built-in relay',
  }),
  SOUNDS_DIR: setting({
    type: v.nonEmpty,
    meaning: 'directory of WAV files for announcements and the dialler; DATA_DIR/sounds when not set',
  }),
  STORE_URL: setting({
    type: v.storeUrl,
    default: 'embedded:',
    meaning: 'where users, bindings and records are kept: LMDB under DATA_DIR, or Redis',
    secret: 'url',
  }),
  DATA_DIR: setting({
    type: v.nonEmpty,
    default: './data',
    meaning: 'journal, LMDB, local admin socket',
    early: true,
  }),
  MML_LISTEN: setting({ type: v.hostPort, default: '127.0.0.1:2323', meaning: 'telnet console' }),
  MML_SSH_LISTEN: setting({
    type: v.hostPort,
    meaning: 'SSH console, such as 0.0.0.0:2022; no SSH when not set',
  }),
  LOG_LEVEL: setting({
    type: v.oneOf(LOG_LEVELS),
    default: 'info',
    meaning: 'how much is logged',
    live: true,
  }),
  LOG_FORMAT: setting({
    type: v.oneOf(['auto', 'pretty', 'json']),
    default: 'auto',
    meaning: 'pretty lines or JSON; auto: pretty on a terminal',
    early: true,
  }),
  ADMIN_PASSWORD: setting({
    type: v.nonEmpty,
    meaning: 'password of the first console operator, admin; made up and printed once when not set',
    secret: true,
  }),
  OPERATOR_PASSWORD_MIN: setting({
    type: v.whole(6, 64),
    default: '8',
    meaning: 'shortest password of a console operator, characters',
    live: true,
  }),
  OPERATOR_PASSWORD_DAYS: setting({
    type: v.whole(0, 3650),
    default: '0',
    meaning: 'operators must change their passwords after so many days; 0: never',
    live: true,
  }),
  OPERATOR_LOCK_AFTER: setting({
    type: v.whole(0, 1000),
    default: '10',
    meaning: 'wrong passwords in a row that lock an operator; 0: never',
    live: true,
  }),
  OPERATOR_LOCK_SEC: setting({
    type: v.whole(0, 604_800),
    default: '900',
    meaning: 'how long an operator stays locked, seconds; 0: until UNL OPERATOR',
    live: true,
  }),
  REG_MIN_SEC: setting({
    type: v.whole(1, 86_400),
    default: '60',
    meaning: 'shortest registration, seconds (423 below)',
    live: true,
  }),
  REG_MAX_SEC: setting({
    type: v.whole(1, 604_800),
    default: '3600',
    meaning: 'longest registration, seconds',
    live: true,
  }),
  MAX_CONTACTS: setting({
    type: v.whole(1, 100),
    default: '10',
    meaning: 'phones one user may register',
    live: true,
  }),
  NO_ANSWER_SEC: setting({
    type: v.whole(1, 600),
    default: '60',
    meaning: 'ringing longer than this is no answer, seconds; users may have a time of their own',
    live: true,
  }),
  RING_TOTAL_SEC: setting({
    type: v.whole(10, 3600),
    default: '180',
    meaning:
      'looking longer than this for somebody who answers ends a call, all phones and forwardings together, seconds',
    live: true,
  }),
  MAX_CALL_SEC: setting({
    type: v.whole(0, 604_800),
    default: '0',
    meaning: 'longest call, answer to end, seconds; users may have a shorter time of their own; 0: no limit',
    live: true,
  }),
  OUTSIDE_CALLS: setting({
    type: v.whole(0, 1000),
    default: '4',
    meaning:
      'calls over trunks that one user may have at once unless it has a limit of its own; 0: any number',
    live: true,
  }),
  OUTSIDE_HOUR: setting({
    type: v.whole(0, 10_000),
    default: '60',
    meaning:
      'calls over trunks that one user may begin in an hour unless it has a limit of its own; 0: any number',
    live: true,
  }),
  OUTSIDE_DAY: setting({
    type: v.whole(0, 20_000),
    default: '300',
    meaning:
      'calls over trunks that one user may begin in a day unless it has a limit of its own; 0: any number',
    live: true,
  }),
  CALL_CHECK_SEC: setting({
    type: v.whole(0, 86_400),
    default: '300',
    meaning: 'phones in a call are asked so often whether they are still there, seconds; 0: never',
    live: true,
  }),
  SESSION_TIMER_SEC: setting({
    type: v.wholeOrZero(90, 86_400),
    default: '1800',
    meaning:
      'session interval that phones which take session timers are offered, seconds (RFC 4028); users may have one of their own; 0: only when a phone asks',
    live: true,
  }),
  SESSION_MIN_SEC: setting({
    type: v.whole(90, 86_400),
    default: '90',
    meaning: 'shortest session interval, seconds (422 below)',
    live: true,
  }),
  MEDIA_SILENCE_SEC: setting({
    type: v.wholeOrZero(5, 86_400),
    default: '300',
    meaning:
      'calls end after so long without a media packet, seconds; users may have a time of their own; 0: never',
    live: true,
  }),
  MEDIA_SILENCE_OF: setting({
    type: v.oneOf(['both', 'either']),
    default: 'both',
    meaning: 'whether both parties have to be silent, or one of them is enough',
    live: true,
  }),
  MEDIA_SILENCE_HELD: setting({
    type: v.flag,
    default: 'false',
    meaning: 'silence counts while a party holds the call, too',
    live: true,
  }),
  MAX_CALLS: setting({
    type: v.whole(1, 100_000),
    default: '5000',
    meaning: 'calls at once; more hear 503',
    live: true,
  }),
  MESSAGE_MAX_BYTES: setting({
    type: v.whole(1, 65_535),
    default: '8192',
    meaning: 'largest body of an instant message outside a call, bytes; larger ones hear 413',
    live: true,
  }),
  MESSAGE_MAX_WAITING: setting({
    type: v.whole(0, 1000),
    default: '100',
    meaning: 'messages that may wait for the phones of one user; 0: none is kept',
    live: true,
  }),
  MESSAGE_MAX_TOTAL: setting({
    type: v.whole(0, 10_000_000),
    default: '100000',
    meaning: 'messages that may wait for all users together',
    live: true,
  }),
  MESSAGE_EXPIRY_SEC: setting({
    type: v.whole(1, 31_536_000),
    default: '604800',
    meaning: 'how long a message waits at most, seconds; senders may ask for less by Expires',
    live: true,
  }),
  MESSAGE_RATE: setting({
    type: v.whole(0, 1_000_000),
    default: '60',
    meaning: 'messages a minute of one sender, and as many at once; 0: any number',
    live: true,
  }),
  MESSAGE_RECORD_BODY: setting({
    type: v.flag,
    default: 'false',
    meaning: 'put the bodies of messages into their records',
  }),
  EVENT_MIN_SEC: setting({
    type: v.whole(1, 86_400),
    default: '60',
    meaning: 'shortest subscription to events and shortest publication, seconds (423 below)',
    live: true,
  }),
  EVENT_MAX_SEC: setting({
    type: v.whole(1, 604_800),
    default: '3600',
    meaning: 'longest subscription to events and longest publication, seconds',
    live: true,
  }),
  EVENT_MAX_PER_USER: setting({
    type: v.whole(1, 10_000),
    default: '200',
    meaning: 'subscriptions to events of one subscriber, all its phones together',
    live: true,
  }),
  EVENT_MAX_TOTAL: setting({
    type: v.whole(1, 1_000_000),
    default: '20000',
    meaning: 'subscriptions to events of all subscribers together',
  }),
  CALL_RESTORE_SEC: setting({
    type: v.whole(0, 86_400),
    default: '300',
    meaning:
      'calls that are up when the server ends go on when it is back within this time, seconds; 0: they end',
  }),
  DRAIN_SEC: setting({
    type: v.whole(0, 3600),
    default: '20',
    meaning:
      'how long a stopping server waits for its calls, seconds; what is up then goes on after a restart (CALL_RESTORE_SEC) or ends',
    live: true,
  }),
  ALARM_DISK_MB: setting({
    type: v.whole(0, 100_000_000),
    default: '500',
    meaning: 'less free space on the disk of DATA_DIR raises an alarm, MiB; 0: never',
    live: true,
  }),
  ALARM_RECORDS: setting({
    type: v.whole(0, 100_000_000),
    default: '1000',
    meaning: 'so many records waiting for the Store raise an alarm; 0: never',
    live: true,
  }),
  ALARM_CERT_DAYS: setting({
    type: v.whole(0, 3650),
    default: '14',
    meaning: 'a TLS certificate that ends within so many days raises an alarm; 0: only when it has ended',
    live: true,
  }),
  ALARM_WEBHOOK: setting({
    type: v.webUrl,
    meaning: 'URL that alarms are posted to as JSON when they come and go; none are when not set',
    secret: true,
  }),
  ALARM_WEBHOOK_KEY: setting({
    type: v.nonEmpty,
    meaning: 'key that signs what is posted (HMAC-SHA256 of the body, header X-Ims-Signature)',
    secret: true,
  }),
  ALARM_WEBHOOK_SEVERITY: setting({
    type: v.oneOf(['critical', 'major', 'minor', 'warning']),
    default: 'warning',
    meaning: 'alarms of this severity and worse are posted',
    live: true,
  }),
  NODE_NAME: setting({
    type: v.nonEmpty,
    meaning: "this node's name in records; the host name when not set",
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;

type Output<K extends SettingName> = z.output<(typeof SETTINGS)[K]['type']>;
type WithDefault = {
  [K in SettingName]: (typeof SETTINGS)[K] extends { default: string } ? K : never;
}[SettingName];

/** The settings in force, frozen. Those without a default are undefined when not set. */
export type Config = { readonly [K in SettingName]: Output<K> | (K extends WithDefault ? never : undefined) };
