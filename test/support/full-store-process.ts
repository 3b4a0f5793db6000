// Fills a Store on a disk that is too small: prints how many appends went through and how many failed, and reads one back.
import { setImmediate as turn } from 'node:timers/promises';
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';

const [dataDir = '', count = '0'] = process.argv.slice(2);
const store = await openStore('embedded:', { dataDir, log: silentLogger });
let done = 0;
let failed = 0;
for (let i = 0; i < Number(count); i++) {
  const parties = { caller: '1001', callee: '1002' };
  const entry = {
    id: `r${i}`,
    time: i,
    type: 'CALL',
    result: 'ANSWERED',
    ...parties,
    body: 'x'.repeat(2000),
  };
  try {
    await store.records.append([entry]);
    done++;
  } catch {
    failed++;
  }
  await turn();
}
const first = await store.records.get('r0');
process.stdout.write(JSON.stringify({ done, failed, first: first?.id }));
// What cannot be written cannot be closed either.
process.exit(0);
