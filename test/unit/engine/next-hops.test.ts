import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { NextHops } from '../../../src/engine/resolve/next-hops.js';
import { systemClock } from '../../../src/platform/clock.js';

test('hops of addresses are remembered by URIs that keep nothing of the frames they came in', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const hops = new NextHops({ clock: systemClock });
  hops.useListeners([{ protocol: 'udp', family: 4 }]);
  const find = (uri: string) => hops.find(uri);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 200; i++) {
    const frame = Buffer.alloc(200_000, `sip:phone${i}@127.0.0.1:5060|`).toString('latin1');
    void find(frame.slice(0, frame.indexOf('|')));
  }
  collect();
  const grownBytes = process.memoryUsage().heapUsed - before;
  assert.ok(grownBytes < 10_000_000, `${grownBytes} bytes for 200 short URIs`);
  assert.equal(find('sip:phone7@127.0.0.1:5060'), find('sip:phone7@127.0.0.1:5060'));
  const long = `sip:${'x'.repeat(260)}@127.0.0.1:5060`;
  assert.notEqual(find(long), find(long));
  assert.deepEqual(find(long), find('sip:phone7@127.0.0.1:5060'));
  await hops.close();
});
