import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { computeResponse, ha1 } from '../../../src/sip/digest.js';
import { parseCredentials } from '../../../src/sip/digest-headers.js';
import type { SipRequest } from '../../../src/sip/message.js';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import { SipPeer } from '../../support/sip-peer.js';
import { addTrunk, answerAndEnd, reach, routeZero } from '../../support/trunk-steps.js';

const CHALLENGE = 'Digest realm="carrier", nonce="n1", algorithm=MD5, qop="auth"';

/** Whether the credentials of a request are those of `acme` with that password. */
function isRight(request: SipRequest, header: string, password: string): boolean {
  const given = parseCredentials(request.get(header) ?? '');
  if (!given) return false;
  const { username, realm, nonce, uri, nc, cnonce, response } = given;
  const secret = ha1('acme', realm, password, 'MD5');
  const expected = computeResponse({
    algorithm: 'MD5',
    ha1: secret,
    method: request.method,
    uri,
    nonce,
    nc,
    cnonce,
    qop: 'auth',
  });
  return username === 'acme' && uri === request.requestUri && response === expected;
}

describe('digest with trunks, both ways', () => {
  let rig: CallRig;
  let a: SipPeer;
  let carrier: SipPeer;
  let count = 0;
  before(async () => {
    rig = await startCallRig();
    a = await rig.phone('1001');
    carrier = await rig.peer('carrier');
    await addTrunk(rig, 'carrier', carrier, { username: 'acme', password: 'our secret' });
    await routeZero(rig, 'carrier');
  });
  after(() => rig.close());
  const lastRecord = async () => (await rig.records(++count)).at(-1)!;

  for (const [status, challenge, credentials] of [
    [407, 'Proxy-Authenticate', 'proxy-authorization'],
    [401, 'WWW-Authenticate', 'authorization'],
  ] as const)
    test(`RFC 3261 §22.2: the trunk's ${status} is answered, with the same Call-ID and the next CSeq`, async () => {
      const { invite, atGateway } = await reach(a, carrier, '030123');
      carrier.respond(atGateway, status, { headers: { [challenge]: CHALLENGE } });
      await carrier.next('ACK');
      const again = await carrier.next('INVITE');
      assert.equal(again.callId, atGateway.callId);
      assert.equal(again.cseq?.seq, (atGateway.cseq?.seq ?? 0) + 1);
      assert.equal(again.fromTag, atGateway.fromTag);
      assert.equal(isRight(again, credentials, 'our secret'), true);
      await answerAndEnd(a, carrier, invite, again);
      const record = await lastRecord();
      assert.deepEqual([record.attempts.length, record.result, record.trunkOut], [1, 'ANSWERED', 'carrier']);
      assert.match(rig.ladder(), new RegExp(`${status} `));
    });

  test('a second challenge with another nonce that says stale is answered too, a third is not', async () => {
    const invite = await a.invite('030123');
    for (const nonce of ['n1', 'n2', 'n3']) {
      const atGateway = await carrier.next('INVITE');
      const stale = nonce === 'n1' ? '' : ', stale=true';
      carrier.respond(atGateway, 407, {
        headers: { 'Proxy-Authenticate': `Digest realm="carrier", nonce="${nonce}", qop="auth"${stale}` },
      });
      await carrier.next('ACK');
    }
    const refused = await a.final(invite);
    a.ackRefusal(invite, refused);
    assert.equal(refused.statusCode, 500);
    assert.equal(carrier.has('INVITE'), false);
    assert.equal((await lastRecord()).releaseReason, 'callee-challenged');
  });

  test('credentials that were refused are not sent once more', async () => {
    const invite = await a.invite('030123');
    for (let i = 0; i < 2; i++) {
      carrier.respond(await carrier.next('INVITE'), 407, { headers: { 'Proxy-Authenticate': CHALLENGE } });
      await carrier.next('ACK');
    }
    a.ackRefusal(invite, await a.final(invite));
    assert.equal(carrier.has('INVITE'), false);
    assert.equal((await lastRecord()).attempts.length, 1);
  });

  test('a BYE of ours that is challenged is sent again with credentials', async () => {
    const { invite, atGateway } = await reach(a, carrier, '030123');
    carrier.respond(atGateway, 200, { sdp: carrier.sdp() });
    const ok = await a.response(invite, 200);
    await carrier.next('ACK');
    const ended = a.bye(a.ack(invite, ok));
    carrier.respond(await carrier.next('BYE'), 407, { headers: { 'Proxy-Authenticate': CHALLENGE } });
    const again = await carrier.expectBye();
    assert.equal(isRight(again, 'proxy-authorization', 'our secret'), true);
    await ended;
    await lastRecord();
  });

  test('the name of a subscriber is no trunk’s, and one that a subscriber is given later is the subscriber’s', async () => {
    await assert.rejects(rig.trunks.add('pbx', { inUsername: '1001', inPassword: 'its own secret' }), {
      code: 'FIELD_INVALID',
      message: /1001 is a subscriber/,
    });
    await rig.trunks.add('pbx', { inUsername: '1007', inPassword: 'its own secret', optionsSec: 0 });
    await assert.rejects(rig.trunks.modify('pbx', { inUsername: '1001' }), { code: 'FIELD_INVALID' });
    const late = await rig.phone('1007');
    const invite = await late.invite('1001');
    a.respond(await a.next('INVITE'), 486);
    late.ackRefusal(invite, await late.response(invite, 486));
    const { trunkIn, callerNumber } = await lastRecord();
    assert.deepEqual([trunkIn, callerNumber], [undefined, '1007']);
    // What else is changed of that trunk does not depend on its name.
    await rig.trunks.modify('pbx', { maxCalls: 3 });
    await rig.trunks.remove('pbx');
  });

  describe('a trunk that shows its password', () => {
    let branch: SipPeer;
    before(async () => {
      await rig.trunks.add('branch', { inUsername: 'branch', inPassword: 'its own secret', optionsSec: 0 });
      branch = await SipPeer.open({ username: 'branch', password: 'its own secret', server: rig.server });
    });
    after(() => branch.close());

    test('is challenged and rings our subscribers', async () => {
      const invite = await branch.invite('1001', undefined, (request) => {
        request.set('From', '<sip:+49301234@branch.example>;tag=b1');
      });
      const atA = await a.next('INVITE');
      assert.match(atA.get('from') ?? '', /sip:\+49301234@/);
      a.respond(atA, 200, { sdp: a.sdp() });
      const ok = await branch.response(invite, 200);
      await a.next('ACK');
      const ended = branch.bye(branch.ack(invite, ok));
      await a.expectBye();
      await ended;
      const record = await lastRecord();
      assert.deepEqual(
        [record.trunkIn, record.callerNumber, record.direction],
        ['branch', '+49301234', 'INBOUND'],
      );
    });

    test('is known while nobody can say whether a subscriber has its name', async () => {
      const { authData } = rig.users;
      // As a Store that is away, for a name that is not remembered.
      rig.users.authData = async (name) => {
        if (name === 'branch') throw new Error('the store is away');
        return authData.call(rig.users, name);
      };
      try {
        const invite = await branch.invite('1001');
        a.respond(await a.next('INVITE'), 486);
        branch.ackRefusal(invite, await branch.response(invite, 486));
        assert.equal((await lastRecord()).trunkIn, 'branch');
      } finally {
        rig.users.authData = authData;
      }
    });

    test('is challenged again with a wrong one', async () => {
      const wrong = await SipPeer.open({ username: 'branch', password: 'wrong', server: rig.server });
      const invite = await wrong.invite('1001');
      const refused = await wrong.final(invite);
      wrong.ackRefusal(invite, refused);
      assert.equal(refused.statusCode, 407);
      assert.equal(a.has('INVITE'), false);
      await wrong.close();
    });

    test('cannot register as a subscriber', async () => {
      const { statusCode } = await branch.register();
      assert.notEqual(statusCode, 200);
    });

    test('with addresses too it has to come from them', async () => {
      await rig.trunks.modify('branch', { sources: ['192.0.2.7'] });
      const invite = await branch.invite('1001');
      const refused = await branch.final(invite);
      branch.ackRefusal(invite, refused);
      assert.equal(refused.statusCode, 407);
      await rig.trunks.modify('branch', { sources: [`127.0.0.1:${branch.port}`] });
      const plain = branch.invitation('1001');
      branch.send(plain);
      const challenge = await branch.response(plain, 407);
      branch.ackRefusal(plain, challenge);
      const good = branch.sendWithCredentials(plain, challenge);
      const atA = await a.next('INVITE');
      a.respond(atA, 486);
      branch.ackRefusal(good, await branch.response(good, 486));
      assert.equal((await lastRecord()).trunkIn, 'branch');
    });
  });
});
