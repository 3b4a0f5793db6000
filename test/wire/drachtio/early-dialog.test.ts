import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, responseText, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer } from '../../support/text-peer.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

describe('early dialogs', () => {
  let engine: WireEngine;
  let client: FrameClient;
  let peer: TextPeer;
  before(async () => {
    engine = await startWireEngine({ timers: { ...FAST_TIMERS, timerCMs: 300 } });
  });
  after(() => engine.close());
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
  });

  const start = async (): Promise<void> => {
    client = await FrameClient.start(engine.target, ['invite']);
    peer = await TextPeer.open(engine.udpPort);
  };
  const respond = (frame: Frame, status: number, headers: readonly string[] = []): Promise<Frame> =>
    client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, status, headers, ''));

  test('48: PRACK follows the INVITE when the reliable provisional has no Contact', {
    skip: oursOnly,
  }, async () => {
    await start();
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    const invite = await peer.next();
    peer.send(responseText(invite, 180, { headers: ['Require: 100rel', 'RSeq: 7'] }));
    const { fields } = await client.events.next();
    const rack = `RAck: 7 ${headerOf(invite, 'CSeq')}`;
    const echo = await client.ask(`sip||${fields[9]}`, appRequest('PRACK', 'sip:placeholder', [rack]));
    assert.equal(echo.fields[3], 'OK', echo.fields.join('|'));
    const prack = await peer.until(/^PRACK/);
    assert.match(prack, new RegExp(`^PRACK ${peer.uri} SIP/2.0\r\n`));
    peer.respond(prack, 200);
    await client.events.next();
    peer.respond(invite, 486);
  });

  test('31: a RAck whose writer repeats the method acknowledges all the same', async () => {
    await start();
    const invite = peer.request({ headers: ['Supported: 100rel'] });
    const frame = await client.events.next();
    await respond(frame, 180, ['Require: 100rel']);
    const ringing = await peer.next();
    peer.inDialog(invite, ringing, 'PRACK', 2, [`RAck: ${headerOf(ringing, 'RSeq')} 1 INVITE INVITE`]);
    const prack = await client.events.next();
    assert.match(prack.sip, /^PRACK/);
    await respond(prack, 200);
    assert.equal(statusOf(await peer.until(/ 200 /)), 200);
    await respond(frame, 486);
  });

  test('35: an INVITE of the same name is delivered while the first is open, and refused once that has its 200', {
    skip: oursOnly,
  }, async () => {
    await start();
    const names = { callId: 'twin@test', fromTag: 'twin' };
    peer.request(names);
    const first = await client.events.next();
    peer.request({ ...names, cseq: 2 });
    const twin = await client.events.next();
    assert.notEqual(twin.fields[8], first.fields[8]);
    await client.ask(`sip|${first.fields[8]}|`, appResponse(first.sip, 200, [], SDP));
    const refused = await respond(twin, 200);
    assert.deepEqual(refused.fields.slice(3), ['NOK', 'dialog already exists, rejecting this request']);
    assert.equal(headerOf(await peer.until(/ 480 /), 'CSeq'), '2 INVITE');
  });

  test('54: RFC 3261 §16.6: an INVITE that only rings is cancelled after timer C', {
    skip: oursOnly,
  }, async () => {
    await start();
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    const invite = await peer.next();
    peer.respond(invite, 180);
    await client.events.next();
    const cancel = await peer.until(/^CANCEL/);
    assert.equal(headerOf(cancel, 'Via'), headerOf(invite, 'Via'));
    peer.respond(cancel, 200);
    peer.respond(invite, 487);
    assert.match((await client.events.next()).sip, /^SIP\/2\.0 487/);
    await peer.until(/^ACK/);
  });

  test('54: RFC 3261 §9.1: 408 to the application when the peer does not even answer the CANCEL', {
    skip: oursOnly,
  }, async () => {
    await start();
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    const invite = await peer.next();
    peer.respond(invite, 183);
    await client.events.next();
    await peer.until(/^CANCEL/);
    assert.match((await client.events.next()).sip, /^SIP\/2\.0 408/);
  });
});
