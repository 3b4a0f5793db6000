import { join } from 'node:path';
import { type JournalledRecords, openRecords as openRecordService } from '../cdr/record-service.js';
import { systemClock } from '../platform/clock.js';
import type { Store } from '../store/types.js';
import type { ConnectedEngine } from './engine.js';
import type { ServerContext } from './server-context.js';

/** Opens the call records with their journal; the caller owns them. `node` is the name of this server in them. */
export function openRecords(
  { config, logs, serverIp }: ServerContext,
  store: Store,
  node: string,
  engine: Pick<ConnectedEngine, 'listeners'>,
): Promise<JournalledRecords> {
  return openRecordService({
    journalDir: join(config.DATA_DIR, 'journal'),
    store,
    keepLeft: config.CALL_RESTORE_SEC > 0,
    clock: systemClock,
    log: logs.for('cdr'),
    node: {
      node,
      engine: config.SIP_ENGINE === 'embedded' ? 'embedded' : 'drachtio',
      serverIp,
      serverPort: Number(engine.listeners[0]?.split(':').at(-1) ?? 5060),
    },
  });
}
