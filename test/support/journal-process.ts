/** A journal in a process whose files may not grow beyond a limit that its parent set. Says what it counted. */
import { buildRecord } from '../../src/cdr/build-record.js';
import { Journal } from '../../src/cdr/journal/journal.js';
import { systemClock } from '../../src/platform/clock.js';
import { silentLogger } from '../../src/platform/logger.js';

const [directory, countText] = process.argv.slice(2) as [string, string];
const owner = { isPending: () => true, snapshot: () => undefined };
const { journal } = await Journal.open({ directory, clock: systemClock, log: silentLogger, owner });
const node = { node: 'n', engine: 'e', serverIp: 'ip', serverPort: 1 };
const opened = { at: 1_700_000_000_000, mono: 0 };
for (let i = 0; i < Number(countText); i++) {
  const record = buildRecord({ ...node, id: `r${i}`, type: 'CALL', opened }, []);
  journal.append({ k: 'close', record }, record.id);
  if (i % 7 === 0) await journal.sync().catch(() => undefined);
}
await journal.sync().catch(() => undefined);
await journal.close();
process.stdout.write(`${journal.counters.failures}`);
