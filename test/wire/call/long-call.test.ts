import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCallRig } from '../../support/call-rig.js';
import { connect, hangUp } from '../../support/call-steps.js';
import { ManualClock } from '../../support/manual-clock.js';

const HOUR_MS = 3_600_000;

test('a call of five hours: no timer ends it or its record, and all of it is billed', async () => {
  const clock = new ManualClock();
  const rig = await startCallRig({ clock });
  try {
    const [a, b] = [await rig.phone('1001'), await rig.phone('1002')];
    const call = await connect(a, b);
    await rig.stateIs('connected');
    for (let hour = 1; hour <= 5; hour++) {
      clock.advance(HOUR_MS);
      const headers = { 'Content-Type': 'text/plain' };
      const info = a.inDialog(call.a, 'INFO', { headers, body: `hour ${hour}` });
      b.respond(await b.next('INFO'), 200);
      assert.equal((await a.final(info)).statusCode, 200);
      assert.equal(rig.control.list()[0]?.state, 'connected');
    }
    await hangUp(a, b, call);
    const [record] = await rig.records(1);
    assert.equal(record?.result, 'ANSWERED');
    assert.equal(record?.releaseReason, 'normal-clearing');
    assert.equal(record?.billSec, 5 * 3600);
    assert.equal(record?.durationMs, 5 * HOUR_MS);
  } finally {
    await rig.close();
  }
});
