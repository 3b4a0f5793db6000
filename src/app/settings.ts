import type { LoadedConfig } from '../config/load.js';
import { RunningSettings } from '../config/settings.js';
import type { LoggerFactory } from '../platform/logger.js';
import type { Store } from '../store/types.js';

/** The settings with what the Store has of them; without it when the Store is away. */
export async function loadSettings(
  loaded: LoadedConfig,
  store: Store,
  logs: LoggerFactory,
): Promise<RunningSettings> {
  const log = logs.for('app');
  const settings = new RunningSettings(loaded, log);
  await settings
    .load(store.collection('settings'))
    .catch((error: unknown) =>
      log.warn({ err: error }, 'the Store is away: what was set at the console is not in force'),
    );
  const applyLevel = (): void => logs.setLevel(settings.config.LOG_LEVEL);
  applyLevel();
  settings.onChange((name) => name === 'LOG_LEVEL' && applyLevel());
  return settings;
}
