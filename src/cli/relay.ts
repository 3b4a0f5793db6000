import { Command } from 'commander';
import { systemClock } from '../platform/clock.js';
import { detectServerIp } from '../platform/local-address.js';
import { createLogs } from './logging.js';
import { settingsOf, withSettings } from './settings.js';
import { untilSignal } from './until-signal.js';

/** `ims relay`: the media relay alone, for Kamailio, OpenSIPS, Sippy or another ims. */
export function relayCommand(): Command {
  return withSettings(new Command('relay').description('the media relay alone: a stand-in for RTPProxy'), [
    'SERVER_IP',
    'EXTERNAL_IP',
    'RTP_PORTS',
    'RTP_TIMEOUT_SEC',
    'LOG_LEVEL',
    'LOG_FORMAT',
  ])
    .option('--control <where...>', 'control sockets: udp:host:port, tcp:host:port, unix:/path', [
      'udp:127.0.0.1:7722',
    ])
    .action(async (options: Record<string, unknown>) => {
      const { config } = settingsOf(options);
      const { startRelay } = await import('../media/relay/start-relay.js');
      const relay = await startRelay({
        control: options['control'] as string[],
        advertisedAddress: config.EXTERNAL_IP ?? config.SERVER_IP ?? detectServerIp(),
        ports: { min: config.RTP_PORTS.first, max: config.RTP_PORTS.last },
        sessionTimeoutMs: config.RTP_TIMEOUT_SEC * 1000,
        clock: systemClock,
        log: createLogs(config).for('relay'),
      });
      const ended = untilSignal();
      process.stdout.write(`Media relay: ports ${config.RTP_PORTS.first}-${config.RTP_PORTS.last}\n`);
      process.stdout.write(`Commands: ${relay.controlUrls.join('  ')}\n`);
      process.send?.('ready');
      await ended;
      await relay.close();
    });
}
