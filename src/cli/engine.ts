import { Command } from 'commander';
import { ConfigError } from '../config/errors.js';
import { parseHostPort } from '../config/values.js';
import { randomToken } from '../platform/ids.js';
import { createLogs } from './logging.js';
import { settingsOf, withSettings } from './settings.js';
import { untilSignal } from './until-signal.js';

/** `ims engine`: the SIP engine alone, for any drachtio-srf application. */
export function engineCommand(): Command {
  return withSettings(
    new Command('engine').description('the SIP engine alone: a stand-in for drachtio-server'),
    [
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
    ],
  )
    .option('--admin <host:port>', 'where applications connect', '127.0.0.1:9022')
    .option('--secret <secret>', 'what they must know; made up and printed when not given (or ENGINE_SECRET)')
    .action(async (options: Record<string, unknown>) => {
      const { config } = settingsOf(options);
      const admin = parseHostPort(String(options['admin']));
      if (!admin) throw new ConfigError('--admin', String(options['admin']), 'host:port');
      const given = (options['secret'] as string | undefined) ?? process.env['ENGINE_SECRET'];
      const secret = given ?? randomToken(24);
      const [{ startEngine }, { advertised, bounds, nextHopOptions, transports }] = await Promise.all([
        import('../engine/engine.js'),
        import('../app/engine.js'),
      ]);
      const log = createLogs(config).for('engine');
      const engine = await startEngine({
        sipListen: config.SIP_LISTEN,
        admin: { ...admin, secret },
        ...advertised(config),
        ...bounds(config),
        ...transports(config, log),
        ...nextHopOptions(config),
        log,
      });
      const listeners = engine.listeners.map(
        ({ protocol, address, port }) => `${protocol}:${address}:${port}`,
      );
      process.stdout.write(
        `SIP engine: ${listeners.join('  ')}\nApplications: drachtio://:${given === undefined ? secret : '<secret>'}@${admin.host}:${engine.adminPort}\n`,
      );
      process.send?.('ready');
      process.on('SIGHUP', () => engine.reload());
      await untilSignal();
      await engine.close();
    });
}
