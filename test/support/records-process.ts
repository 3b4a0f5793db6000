/** A server's records without the server: makes calls as fast as it can until somebody kills it. */
import { appendFileSync } from 'node:fs';
import { openRecords } from '../../src/cdr/record-service.js';
import type { OpenRecord } from '../../src/cdr/types.js';
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';

/** Calls up at once. */
const LIVE_CALLS = 8;

const [storeUrl, directory, witness] = process.argv.slice(2) as [string, string, string];
const store = await openStore(storeUrl, { dataDir: directory, log: silentLogger });
const node = { node: 'n1', engine: 'embedded', serverIp: '127.0.0.1', serverPort: 5060 };
const records = await openRecords({
  journalDir: `${directory}/journal`,
  store,
  node,
  log: silentLogger,
  limits: { syncIntervalMs: 2, heartbeatMs: 10, segmentBytes: 20_000 },
});

/** Tells a test what is on disk by now: one synchronous line, which a kill cannot take back. */
const testify = (word: string, id: string) => appendFileSync(witness, `${word} ${id}\n`);

function begin(number: number): OpenRecord {
  const record = records.begin('CALL');
  record.add({
    kind: 'received',
    method: 'INVITE',
    callId: `call-${number}`,
    cseq: 1,
    callerUri: 'sip:1001@ims',
    callerNumber: '1001',
    dialledNumber: '1002',
    address: '127.0.0.1',
    port: 5062,
    transport: 'udp',
  });
  return record;
}

function answer(record: OpenRecord): void {
  record.add({ kind: 'answered', leg: 'b1' });
}

function end(record: OpenRecord): void {
  const normal = { result: 'ANSWERED', by: 'CALLER', status: 200, reason: 'OK' } as const;
  record.add({ kind: 'ended', ...normal, releaseReason: 'normal-clearing' });
  record.finish();
}

process.send!('ready');
const calls: OpenRecord[] = [];
for (let number = 0; ; number++) {
  const record = begin(number);
  // `begun` before it can be anywhere, `durable` when the disk has it.
  testify('begun', record.id);
  calls.push(record);
  answer(record);
  await records.flush();
  testify('durable', record.id);
  if (calls.length > LIVE_CALLS) {
    const oldest = calls.shift()!;
    end(oldest);
    await records.flush();
    testify('ended', oldest.id);
  }
}
