import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect, hangUp } from '../support/call-steps.js';
import type { SipPeer } from '../support/sip-peer.js';

describe('trace of a call through the whole server', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  before(async () => {
    calls = await startCallServer();
    a = await calls.phone('1001');
    b = await calls.phone('1002');
  });
  after(() => calls?.close());

  test('both legs are there as they were on the wire, without credentials, after the call is over too', async () => {
    const mml = (command: string): Promise<string> => calls.server.mml(command);
    assert.match(await mml('STR TRACE: USER=1001'), /Running += +Yes/i);
    const call = await connect(a, b);
    const callId = call.invite.callId ?? '';
    const ladderOf = async (): Promise<string[]> =>
      [...(await mml(`DSP TRACE: CALLID="${callId}"`)).matchAll(/^ *\d+\.\d{3} (\|.*\|)$/gm)].map((row) =>
        (row[1] ?? '').replace(/ {2,}|-{2,}/g, ''),
      );
    const during = await ladderOf();
    assert.ok(during.includes('| INVITE SDP >||'), during.join('\n'));
    assert.ok(
      during.some((row) => /^\|\|<.*200 .*INVITE/.test(row)),
      during.join('\n'),
    );
    await hangUp(a, b, call);
    assert.match(await mml('STP TRACE'), /Running += +No/i);
    await calls.recordsOf(callId);
    const over = await ladderOf();
    assert.ok(
      over.some((row) => /^\|\|.*BYE.*>\|$/.test(row)),
      over.join('\n'),
    );
    const full = await mml(`DSP TRACE: CALLID="${callId}", DETAIL=YES`);
    assert.match(full, /Proxy-Authorization: Digest \*\*\*/i);
    assert.doesNotMatch(full, /response="/);
  });
});
