import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { SipRequest, SipResponse } from '../../../src/sip/message.js';
import { dialogOfUac } from '../../../src/testkit/dialog.js';
import { type CallRig, startTwoPhones } from '../../support/call-rig.js';
import { hangUp, mediaPort } from '../../support/call-steps.js';
import type { SipPeer } from '../../support/sip-peer.js';

/** Reliable provisionals are a matter of one leg (RFC 3262): the other one knows nothing of them. */
describe('100rel on one leg', () => {
  let rig: CallRig;
  let a: SipPeer;
  let b: SipPeer;
  let count = 0;
  before(async () => {
    ({ rig, a, b } = await startTwoPhones());
  });
  after(() => rig.close());
  afterEach(async () => {
    await rig.records(++count);
  });

  const requiring = (sdp?: string | null) =>
    a.invite('1002', sdp, (request) => void request.append('Require', '100rel'));

  /** The caller's PRACK of a provisional; resolves its answer. */
  const prack = (invite: SipRequest, response: SipResponse): Promise<SipResponse> => {
    const dialog = { ...dialogOfUac(invite, response), localSeq: invite.cseq?.seq ?? 1 };
    const headers = { RAck: `${response.get('rseq')} ${invite.get('cseq')}` };
    return a.final(a.inDialog(dialog, 'PRACK', { headers }));
  };

  test('RFC 3262 §3: a caller requires it: ringing and early media are reliable, the callee sends them as ever', async () => {
    const invite = await requiring();
    const atB = await b.next('INVITE');
    assert.doesNotMatch(atB.get('supported') ?? '', /100rel/);
    b.respond(atB, 180);
    const ringing = await a.response(invite, 180);
    assert.match(ringing.get('require') ?? '', /100rel/);
    assert.equal((await prack(invite, ringing)).statusCode, 200);
    b.respond(atB, 183, { sdp: b.sdp() });
    const early = await a.response(invite, 183);
    assert.ok((mediaPort(early) ?? 0) > 0);
    assert.equal(Number(early.get('rseq')), Number(ringing.get('rseq')) + 1);
    b.respond(atB, 200, { sdp: b.sdp() });
    // RFC 3262 §3: the 200 waits for the PRACK of what has a description.
    assert.equal((await prack(invite, early)).statusCode, 200);
    const ok = await a.response(invite, 200);
    await b.next('ACK');
    assert.equal(b.has('PRACK'), false);
    const dialog = a.ack(invite, ok);
    dialog.localSeq += 5;
    await hangUp(a, b, { invite, ok, atB, a: dialog, b: b.dialogAsUas(atB) });
  });

  test('RFC 3262 §4, RFC 3261 §21.4.16, RFC 3261 §8.1.3.5: a callee requires it: 421 is followed by an INVITE that offers it; its provisional gets PRACK', async () => {
    const invite = await a.invite('1002');
    const first = await b.next('INVITE');
    b.respond(first, 421, { headers: { Require: '100rel' } });
    const second = await b.next('INVITE');
    assert.match(second.get('supported') ?? '', /\b100rel\b/);
    assert.equal(second.callId, first.callId);
    b.respond(second, 183, { sdp: b.sdp(), headers: { Require: '100rel', RSeq: '7' } });
    const prackAtB = await b.next('PRACK');
    assert.equal(prackAtB.get('rack'), `7 ${second.get('cseq')}`);
    b.respond(prackAtB, 200);
    const early = await a.response(invite, 183);
    assert.equal(early.get('rseq'), undefined);
    // The reliable description was the answer: the 200 needs none (RFC 3262 §5).
    b.respond(second, 200);
    const ok = await a.response(invite, 200);
    assert.equal(mediaPort(ok), mediaPort(early));
    await b.next('ACK');
    await hangUp(a, b, { invite, ok, atB: second, a: a.ack(invite, ok), b: b.dialogAsUas(second) });
    assert.equal((await rig.records(count + 1)).at(-1)?.attempts.length, 1);
  });

  test('RFC 3261 §21.4.16: what else a callee requires is its refusal', async () => {
    const invite = await a.invite('1002');
    b.respond(await b.next('INVITE'), 421, { headers: { Require: 'fancy' } });
    a.ackRefusal(invite, await a.response(invite, 500));
  });

  test('RFC 3262 §5: without an offer of the caller the first reliable message is the 200: no provisional', async () => {
    const invite = await requiring(null);
    const atB = await b.next('INVITE');
    b.respond(atB, 180);
    b.respond(atB, 200, { sdp: b.sdp() });
    const ok = await a.response(invite, 200);
    assert.equal(
      a.log.some(
        (message) =>
          message.type === 'response' && message.statusCode === 180 && message.callId === invite.callId,
      ),
      false,
    );
    const dialog = a.ack(invite, ok, a.sdp());
    await b.next('ACK');
    await hangUp(a, b, { invite, ok, atB, a: dialog, b: b.dialogAsUas(atB) });
  });
});
