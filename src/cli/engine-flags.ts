import { type Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError } from '../config/errors.js';
import { parseHostPort } from '../config/values.js';
import type { EngineOptions } from '../engine/engine.js';
import type { RequestHandlerSettings } from '../engine/routing/new-request-router.js';

/** The values of the flags below, as commander keeps them. */
interface Flags {
  readonly admin: string;
  readonly adminTls?: string;
  readonly adminTlsCert?: string;
  readonly adminTlsKey?: string;
  readonly tcpKeepaliveInterval: number;
  readonly httpHandler?: readonly string[];
  readonly httpMethod: 'GET' | 'POST';
  readonly httpInsecure?: true;
  readonly verifyApplications?: true;
  readonly alwaysSend180?: true;
  readonly userAgentOptionsAutoRespond?: readonly string[];
  readonly spamUserAgent?: readonly string[];
  readonly spamFrom?: readonly string[];
  readonly spamTo?: readonly string[];
  readonly rejectRegisterWithNoRealm?: true;
  readonly block?: readonly string[];
  readonly disableNatDetection?: true;
}

const EXAMPLES = `
Examples
  ims engine --secret cymru
      any drachtio-srf application connects with srf.connect({ host: '127.0.0.1', port: 9022, secret: 'cymru' })
  ims engine --sip-listen udp:0.0.0.0:5060,tls:0.0.0.0:5061 --external-ip 203.0.113.9
      behind a NAT: peers are told the public address
  ims engine --http-handler INVITE=https://route.example.com/calls tcp://10.0.0.7:9021
      INVITEs go where that service says, all else to the application that listens there (srf.listen)

Applications are told of calls when they ask: srf.on('cdr:attempt' | 'cdr:start' | 'cdr:stop', …).
SIGHUP reads certificates again, SIGTERM stops. More: docs/engine.md
`;

/** Gives a command the flags of an engine that stands alone; drachtio-server's names where it has the same. */
export function withEngineFlags(command: Command): Command {
  return command
    .optionsGroup('Applications:')
    .option('--admin <host:port>', 'where applications connect', '127.0.0.1:9022')
    .option('--admin-tls <host:port>', 'a second port for them, over TLS')
    .option('--admin-tls-cert <file>', 'its certificate, PEM; that of SIP when not given')
    .option('--admin-tls-key <file>', "the certificate's key, PEM; that of SIP when not given")
    .option('--secret <secret>', 'what they must know; made up and printed when not given (or ENGINE_SECRET)')
    .option(
      '--tcp-keepalive-interval <sec>',
      'how often TCP asks whether they are still there; 0: never',
      seconds,
      45,
    )
    .optionsGroup('Where new requests go, when not to applications that ask for their method:')
    .option(
      '--http-handler <url...>',
      'decides about new requests, METHOD=url about those of one method: http(s) is asked about each, tcp://host:port or tls://host:port is an application to connect to for each',
    )
    .addOption(
      new Option('--http-method <method>', 'how it is asked').choices(['GET', 'POST']).default('GET'),
    )
    .option('--http-insecure', 'do not check the certificates of https handlers')
    .option(
      '--verify-applications',
      'check the certificates of applications that the engine connects to over TLS',
    )
    .optionsGroup('What the engine does by itself:')
    .option('--always-send-180', 'answer each INVITE with 180 at once')
    .option('--user-agent-options-auto-respond <name...>', 'answer OPTIONS with this User-Agent 200')
    .option('--spam-user-agent <text...>', 'answer requests with this in User-Agent 603')
    .option('--spam-from <text...>', 'the same for the user in From')
    .option('--spam-to <text...>', 'the same for the user in To')
    .option('--reject-register-with-no-realm', 'answer a REGISTER to an IPv4 address 403')
    .option('--block <address...>', 'do not hear these addresses or networks')
    .option(
      '--disable-nat-detection',
      'send in-dialog requests where Contact says, wherever the peer was seen',
    )
    .addHelpText('after', EXAMPLES);
}

/** What the flags say. Throws ConfigError. */
export function engineOptionsOf(
  options: Readonly<Record<string, unknown>>,
  secret: string,
  sipTls: { readonly certificateFile: string; readonly keyFile: string },
): Omit<EngineOptions, 'sipListen'> {
  const flags = options as unknown as Flags;
  const { alwaysSend180 = false, disableNatDetection = false, verifyApplications = false } = flags;
  return {
    admin: {
      ...hostPortOf('--admin', flags.admin),
      secret,
      keepAliveSec: flags.tcpKeepaliveInterval,
      ...adminTlsOf(flags, sipTls),
    },
    requestHandlers: (flags.httpHandler ?? []).map((text) => handlerOf(text, flags)),
    verifyApplications,
    alwaysSend180,
    screen: screenOf(flags),
    blockedSources: flags.block ?? [],
    detectNat: !disableNatDetection,
  };
}

function adminTlsOf(
  { adminTls, adminTlsCert, adminTlsKey }: Flags,
  sipTls: { readonly certificateFile: string; readonly keyFile: string },
): Pick<EngineOptions['admin'], 'tls'> {
  if (adminTls === undefined) return {};
  const certificateFile = adminTlsCert ?? sipTls.certificateFile;
  const keyFile = adminTlsKey ?? adminTlsCert ?? sipTls.keyFile;
  return { tls: { ...hostPortOf('--admin-tls', adminTls), certificateFile, keyFile } };
}

function screenOf(flags: Flags): NonNullable<EngineOptions['screen']> {
  return {
    spam: { userAgent: flags.spamUserAgent ?? [], from: flags.spamFrom ?? [], to: flags.spamTo ?? [] },
    optionsAutoRespond: flags.userAgentOptionsAutoRespond ?? [],
    registerNeedsDomain: flags.rejectRegisterWithNoRealm ?? false,
  };
}

function handlerOf(text: string, { httpMethod, httpInsecure }: Flags): RequestHandlerSettings {
  const [, method = '*', url = ''] = /^(?:([A-Za-z]+|\*)=)?(.*)$/s.exec(text) ?? [];
  return { method: method.toUpperCase(), url, httpMethod, verifyPeer: httpInsecure !== true };
}

function hostPortOf(flag: string, text: string): { host: string; port: number } {
  const parsed = parseHostPort(text);
  if (!parsed) throw new ConfigError(flag, text, 'host:port');
  return parsed;
}

function seconds(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError('a number of seconds, 0 to 99999, is expected');
  return Number(text);
}
