import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startCallRig } from '../../support/call-rig.js';
import { ManualClock } from '../../support/manual-clock.js';
import { waitFor } from '../../support/wait-for.js';

test('RFC 3261 §13.3.1.1: a caller that waits long hears the last provisional again each minute, until the end', async () => {
  const clock = new ManualClock();
  const rig = await startCallRig({ clock, limits: { noAnswerMs: 600_000 } });
  try {
    const [a, b] = [await rig.phone('1001'), await rig.phone('1002')];
    const invite = await a.invite('1002');
    const atB = await b.next('INVITE');
    const heard = (): number =>
      a.log.filter((message) => message.type === 'response' && message.statusCode === 180).length;
    b.respond(atB, 180);
    await a.response(invite, 180);
    for (let minute = 1; minute <= 4; minute++) {
      clock.advance(59_000);
      assert.equal(heard(), minute);
      clock.advance(1_000);
      await waitFor('the 180 again', () => heard() === minute + 1);
    }
    b.respond(atB, 486);
    a.ackRefusal(invite, await a.final(invite));
    await rig.records(1);
    clock.advance(120_000);
    assert.equal(heard(), 5);
  } finally {
    await rig.close();
  }
});
