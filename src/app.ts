import { hostname } from 'node:os';
import { openAlarms } from './alarms/alarm-keeper.js';
import { openWebhook } from './app/alarm-watches.js';
import { claimDataDir } from './app/run-file.js';
import type { RunningServer } from './app/running-server.js';
import { Server } from './app/server.js';
import { loadSettings } from './app/settings.js';
import type { LoadedConfig } from './config/load.js';
import { systemClock } from './platform/clock.js';
import { Lifecycle } from './platform/lifecycle.js';
import type { LoggerFactory } from './platform/logger.js';
import { openStore } from './store/open-store.js';

/**
 * Starts every part in order and wires them; rejects with the first failure, nothing being left running then. `readAgain` is asked
 * for the settings of a restart; the operator hears what it throws, and the server goes on.
 */
export async function startServer(
  loaded: LoadedConfig,
  logs: LoggerFactory,
  readAgain = () => loaded,
): Promise<RunningServer> {
  const { DATA_DIR: dataDir, STORE_URL: storeUrl } = loaded.config;
  const claim = claimDataDir(dataDir);
  const parts = new Lifecycle(logs.for('app'));
  parts.own('run file', { close: () => Promise.resolve(claim.release()) });
  try {
    const opened = await openStore(storeUrl, { dataDir, log: logs.for('store') });
    const store = parts.own('store', opened);
    const settings = await loadSettings(loaded, store, logs);
    const node = settings.config.NODE_NAME ?? hostname();
    const alarmLog = logs.for('alarms');
    const alarms = parts.own('alarms', await openAlarms({ store, node, clock: systemClock, log: alarmLog }));
    openWebhook(settings.config, alarms, { node, parts, log: alarmLog });
    if (claim.wasLeft) alarms.raise('SERVER_CRASHED', '', 'it left its run file behind');
    const server = new Server(settings, store, alarms, logs, parts);
    server.readAgain = readAgain;
    await server.start();
    const { sip, mml, ssh, adminSocket } = server.facts;
    claim.publish({
      version: server.version,
      startedAt: server.startedAt,
      sip,
      mml,
      ...(ssh && { ssh: ssh.address }),
      adminSocket,
    });
    return server;
  } catch (error) {
    await parts.close();
    throw error;
  }
}
