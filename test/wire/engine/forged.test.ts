import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { FrameClient } from '../../support/frame-client.js';
import { headerOf, responseText, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer, tagOf } from '../../support/text-peer.js';
import { startWireEngine, type WireEngine } from '../../support/wire-engine.js';

/** T1 of 30 ms: a 2xx is repeated soon. */
const TIMERS = { t1Ms: 30, t2Ms: 240, t4Ms: 300 };

describe('messages that pretend to belong to something', () => {
  let engine: WireEngine;
  let app: FrameClient;
  let peer: TextPeer;
  /** Another address: who forges what `peer` might have sent. */
  let stranger: TextPeer;
  let invite: string;
  let ok: string;

  beforeEach(async () => {
    engine = await startWireEngine({ timers: TIMERS });
    app = await FrameClient.start(engine.target, ['invite', 'options', 'info']);
    peer = await TextPeer.open(engine.udpPort);
    stranger = await TextPeer.open(engine.udpPort);
  });
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine.close();
  });

  async function answeredCall(): Promise<void> {
    invite = peer.request({ cseq: 20 });
    const { fields, sip } = await app.events.next();
    await app.ask(`sip|${fields[8]}|`, appResponse(sip, 200, [], SDP));
    ok = await peer.next();
  }

  const identity = () => ({
    callId: headerOf(invite, 'Call-ID')!,
    fromTag: tagOf(headerOf(invite, 'From')!)!,
    toTag: tagOf(headerOf(ok, 'To')!)!,
  });

  /** The peer's own INFO reaches the application next: nothing else did before. */
  async function onlyTheGenuineArrives(cseq: number): Promise<void> {
    peer.inDialog(invite, ok, 'INFO', cseq, ['X-Genuine: yes']);
    const { sip } = await app.events.next();
    assert.equal(headerOf(sip, 'X-Genuine'), 'yes');
  }

  test('RFC 3261 §12.2.2: requests with a wrong tag, swapped tags or another Call-ID get 481 and reach nobody', async () => {
    await answeredCall();
    peer.inDialog(invite, ok, 'ACK', 20);
    await app.events.next();
    const { callId, fromTag, toTag } = identity();
    const forgeries = [
      { callId, fromTag, toTag: 'guess' },
      { callId, fromTag: 'guess', toTag },
      { callId, fromTag: toTag, toTag: fromTag },
      { callId: `${callId}x`, fromTag, toTag },
    ];
    for (const method of ['BYE', 'INVITE', 'UPDATE'])
      for (const forgery of forgeries) {
        stranger.request({ method, cseq: 99, ...forgery });
        assert.equal(statusOf(await stranger.next()), 481, `${method} ${JSON.stringify(forgery)}`);
      }
    await onlyTheGenuineArrives(21);
    assert.equal(engine.stats().dialogs, 1);
  });

  test('RFC 3261 §12.2.2: a replayed or late request, its CSeq number lower, gets 500 and reaches nobody', async () => {
    await answeredCall();
    peer.inDialog(invite, ok, 'ACK', 20);
    await app.events.next();
    await onlyTheGenuineArrives(30);
    for (const method of ['BYE', 'INVITE', 'INFO', 'UPDATE']) {
      stranger.request({ method, cseq: 29, ...identity() });
      assert.equal(statusOf(await stranger.next()), 500, method);
    }
    await onlyTheGenuineArrives(31);
    assert.equal(engine.stats().dialogs, 1);
  });

  test('RFC 3261 §13.3.1.4: an ACK with wrong tags or number ends no repetition of the 200', async () => {
    await answeredCall();
    const forgeries = [{ toTag: 'guess' }, { fromTag: 'guess' }, { cseq: 19 }];
    for (const forgery of forgeries) stranger.request({ method: 'ACK', cseq: 20, ...identity(), ...forgery });
    for (let i = 0; i < 3; i++) assert.equal(statusOf(await peer.next()), 200);
    assert.equal(app.events.size, 0);
    peer.inDialog(invite, ok, 'ACK', 20);
    assert.match((await app.events.next()).sip, /^ACK /);
  });

  test('RFC 3261 §9.2: a CANCEL with another branch or sent-by gets 481, and the phone rings on', async () => {
    const ringing = peer.request();
    await app.events.next();
    const cancel = ringing.replace(/^INVITE/, 'CANCEL').replace(/1 INVITE/, '1 CANCEL');
    for (const forged of [
      cancel.replace(/branch=z9hG4bK/, 'branch=z9hG4bKx'),
      cancel.replace(peer.port.toString(), '5'),
    ]) {
      stranger.send(forged);
      assert.equal(statusOf(await stranger.next()), 481);
    }
    assert.equal(app.events.size, 0);
    peer.send(cancel);
    assert.match((await app.events.next()).sip, /^CANCEL /);
  });

  test('RFC 3261 §8.1.3.3, §17.1.3: responses to nothing are dropped: nobody hears of them, nothing is sent', async () => {
    app.send('sip||', appRequest('OPTIONS', peer.uri));
    const options = await peer.next();
    const forgeries = [
      responseText(options, 200).replace(/branch=[^;\r]+/, 'branch=z9hG4bKguess'),
      responseText(options, 200).replace(/^(CSeq: \d+) OPTIONS/m, '$1 INVITE'),
      responseText(options, 200).replace(/^(Via: \S+ )127\.0\.0\.1:\d+/m, '$1192.0.2.1:5060'),
      responseText(options, 200).replace(/^(Via: .*)$/m, '$1\r\nVia: SIP/2.0/UDP 192.0.2.9'),
      'SIP/2.0 200 OK\r\n\r\n',
    ];
    for (const forgery of forgeries) stranger.send(forgery);
    peer.respond(options, 486);
    const { sip } = await app.events.next();
    assert.match(sip, /^SIP\/2\.0 486 /);
    assert.equal(stranger.udp.inbox.size, 0);
    peer.send(responseText(options, 200));
    peer.request({ method: 'OPTIONS', callId: 'after' });
    assert.match((await app.events.next()).sip, /Call-ID: after/);
  });
});
