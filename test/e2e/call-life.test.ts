import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallServer, startCallServer } from '../support/call-server.js';
import { connect } from '../support/call-steps.js';
import { SipPeer } from '../support/sip-peer.js';

/** How long a call may take, as it is set for the server, for a user and for a trunk. */
describe('the life of a call, set by an operator', () => {
  let calls: CallServer;
  let a: SipPeer;
  let b: SipPeer;
  let gateway: SipPeer;
  before(async () => {
    calls = await startCallServer({
      MEDIA_SILENCE_SEC: '5',
      SESSION_TIMER_SEC: '300',
      SESSION_MIN_SEC: '120',
      SIP_TRUSTED: '127.0.0.0/8',
    });
    [a, b] = await Promise.all([calls.phone('1001'), calls.phone('1002')]);
    const { address, udpPort: port } = calls.server;
    gateway = await SipPeer.open({ username: 'gateway', server: { address, port } });
    await calls.server.mml('MOD USER: USERNAME=1002, SESSIONSEC=200');
    await calls.server.mml(
      `ADD TRUNK: NAME=gw, ADDRESS=127.0.0.1:${gateway.port}, SOURCES="", OPTIONSSEC=0, MAXDUR=1, SESSIONSEC=150`,
    );
    await calls.server.mml('ADD ROUTE: NAME=out, PREFIX=0, TRUNKS=gw');
  });
  after(async () => {
    await gateway?.close();
    await calls?.close();
  });

  test('RFC 4028 §7.1, §9: session timers of the server and of a user; calls without media end', async () => {
    const call = await connect(a, b);
    assert.deepEqual([call.atB.get('session-expires'), call.atB.get('min-se')], ['200', '120']);
    const byes = await Promise.all([a.next('BYE', 9000), b.next('BYE', 9000)]);
    a.respond(byes[0], 200);
    b.respond(byes[1], 200);
    for (const bye of byes) assert.equal(bye.get('reason'), 'Q.850;cause=102;text="media-silent"');
    const [record] = await calls.recordsOf(call.invite.callId);
    assert.deepEqual([record?.releaseReason, record?.q850Cause], ['media-silent', 102]);
    assert.ok((record?.billSec ?? 0) >= 5);
  });

  test('RFC 4028 §7.1: a trunk has a session timer and a longest call of its own', async () => {
    const invite = await a.invite(
      '0301234',
      undefined,
      (request) => void request.append('Supported', 'timer'),
    );
    const out = await gateway.next('INVITE');
    assert.equal(out.get('session-expires'), '150');
    gateway.respond(out, 200, { sdp: gateway.sdp() });
    const ok = await a.response(invite, 200);
    assert.equal(ok.get('session-expires'), '300;refresher=uac');
    a.ack(invite, ok);
    await gateway.next('ACK');
    const byes = await Promise.all([a.expectBye(), gateway.expectBye()]);
    for (const bye of byes) assert.equal(bye.get('reason'), 'Q.850;cause=31;text="duration-exceeded"');
    const [record] = await calls.recordsOf(invite.callId);
    assert.deepEqual([record?.releaseReason, record?.trunkOut], ['duration-exceeded', 'gw']);
  });

  test('RFC 4028 §9: less than SESSION_MIN_SEC is 422', async () => {
    const invite = a.invitation('1002');
    invite.append('Supported', 'timer').append('Session-Expires', '119');
    a.send(invite);
    const refused = await a.response(invite, 422);
    a.ackRefusal(invite, refused);
    assert.equal(refused.get('min-se'), '120');
  });
});
