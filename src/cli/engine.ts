import { Command } from 'commander';
import type { EngineOptions } from '../engine/engine.js';
import { randomToken } from '../platform/ids.js';
import { engineBanner } from './engine-banner.js';
import { engineOptionsOf, withEngineFlags } from './engine-flags.js';
import { createLogs } from './logging.js';
import { settingsOf, withSettings } from './settings.js';
import { onHangUp, untilSignal } from './until-signal.js';

const SECRET_LENGTH = 24;
/** Of the server's settings those that concern its engine. */
const SETTINGS = [
  'SIP_LISTEN',
  'SERVER_IP',
  'EXTERNAL_IP',
  'LOCAL_NETWORK_CIDR',
  'ADVERTISE',
  'DNS_SERVERS',
  'SIP_UDP_MAX_BYTES',
  'SIP_SOURCE_RATE',
  'SIP_SOURCE_BURST',
  'SIP_TRUSTED',
  'OVERLOAD_DELAY_MS',
  'OVERLOAD_WAITING',
  'SIP_PACE_MS',
  'SIP_TLS_CERT',
  'SIP_TLS_KEY',
  'SIP_TLS_CA',
  'SIP_TLS_VERIFY_CLIENT',
  'SIP_TLS_VERIFY_SERVER',
  'SIP_TLS_MIN_VERSION',
  'SIP_WS_ORIGINS',
  'SIP_SOURCE_CONNECTIONS',
  'DATA_DIR',
  'LOG_LEVEL',
  'LOG_FORMAT',
] as const;

/** `ims engine`: the SIP engine alone, for any drachtio-srf application. */
export function engineCommand(): Command {
  const command = new Command('engine').description('the SIP engine alone: a stand-in for drachtio-server');
  return withEngineFlags(withSettings(command, SETTINGS)).action(run);
}

async function run(options: Readonly<Record<string, unknown>>): Promise<void> {
  const { config } = settingsOf(options);
  const given = (options['secret'] as string | undefined) ?? process.env['ENGINE_SECRET'];
  const secret = given ?? randomToken(SECRET_LENGTH);
  const [{ startEngine }, { advertised, bounds, nextHopOptions, transports }, { preparedTls, tlsSettings }] =
    await Promise.all([import('../engine/engine.js'), import('../app/engine.js'), import('../app/tls.js')]);
  const log = createLogs(config).for('engine');
  const needsOwnCertificate = options['adminTls'] !== undefined && options['adminTlsCert'] === undefined;
  const tls = needsOwnCertificate ? preparedTls(config, log) : tlsSettings(config);
  const engineOptions: EngineOptions = {
    sipListen: config.SIP_LISTEN,
    ...engineOptionsOf(options, secret, tls),
    ...advertised(config),
    ...bounds(config),
    ...transports(config, log),
    ...nextHopOptions(config),
    log,
  };
  const engine = await startEngine(engineOptions);
  // Before anybody is told that it runs.
  const ended = untilSignal();
  onHangUp(() => engine.reload());
  process.stdout.write(engineBanner(engine, engineOptions, given === undefined ? secret : '<secret>'));
  process.send?.('ready');
  await ended;
  await engine.close();
}
