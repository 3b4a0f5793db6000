import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type CallRig, startCallRig } from '../../support/call-rig.js';
import type { SipPeer } from '../../support/sip-peer.js';
import { addTrunk, reach, refuseAndEnd, routeZero } from '../../support/trunk-steps.js';

const offer = (port: number, version = 1): string =>
  [
    'v=0',
    `o=- 1 ${version} IN IP4 127.0.0.1`,
    's=-',
    'c=IN IP4 127.0.0.1',
    't=0 0',
    `m=audio ${port} RTP/AVP 18 0 8 101`,
    'a=rtpmap:18 G729/8000',
    'a=fmtp:18 annexb=no',
    'a=rtpmap:101 telephone-event/8000',
    '',
  ].join('\r\n');
const formats = (message: { readonly body: Buffer }): string | undefined =>
  /^m=audio \d+ RTP\/AVP (.*?)\r?$/m.exec(message.body.toString())?.[1];

describe('RFC 3264 §5.1: the codec policy of a trunk', () => {
  let rig: CallRig;
  let a: SipPeer;
  let one: SipPeer;
  let two: SipPeer;
  before(async () => {
    rig = await startCallRig();
    a = await rig.phone('1001');
    [one, two] = [await rig.peer('one'), await rig.peer('two')];
    await addTrunk(rig, 'one', one, { codecs: ['PCMA'], dropCodecs: ['G729'] });
    await addTrunk(rig, 'two', two);
    await routeZero(rig, 'one', 'two');
  });
  after(() => rig.close());

  test('holds for what the trunk is offered, each trunk by its own', async () => {
    const invite = await a.invite('030123', offer(40_100));
    const atOne = await one.next('INVITE');
    assert.equal(formats(atOne), '8 0 101');
    assert.doesNotMatch(atOne.body.toString(), /:18 /);
    one.respond(atOne, 503);
    const atTwo = await two.next('INVITE');
    assert.equal(formats(atTwo), '18 0 8 101');
    await refuseAndEnd(a, two, invite, atTwo);
  });

  test('holds for what the trunk offers, and for re-INVITEs both ways', async () => {
    const invite = one.invitation('1001', offer(40_200));
    one.send(invite);
    const atA = await a.next('INVITE');
    assert.equal(formats(atA), '8 0 101');
    a.respond(atA, 200, { sdp: a.sdp() });
    const ok = await one.response(invite, 200);
    await a.next('ACK');
    const dialog = one.ack(invite, ok);
    const ofA = a.dialogAsUas(atA);
    const again = a.inDialog(ofA, 'INVITE', { sdp: offer(40_300, 2) });
    const atOne = await one.next('INVITE');
    assert.equal(formats(atOne), '8 0 101');
    one.respond(atOne, 200, { sdp: one.sdp('sendrecv', 2) });
    await a.response(again, 200);
    await one.next('ACK');
    a.ackIn(ofA, again.cseq?.seq ?? 0);
    const ended = one.bye(dialog);
    await a.expectBye();
    await ended;
  });

  test('a trunk that may have none of the codecs is passed by', async () => {
    await rig.trunks.modify('one', { dropCodecs: ['G729', 'PCMU', 'PCMA'] });
    const { invite, atGateway } = await reach(a, two, '030123');
    await refuseAndEnd(a, two, invite, atGateway);
    assert.equal(one.has('INVITE'), false);
    const isPassedBy = ({ sipStatus }: { sipStatus: number }) => sipStatus === 488;
    const record = (await rig.records(3)).find(({ attempts }) => attempts.some(isPassedBy));
    assert.deepEqual(
      record?.attempts.map(({ trunk, sipStatus }) => [trunk, sipStatus]),
      [
        ['one', 488],
        ['two', 603],
      ],
    );
  });
});
