import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type Engine, startEngine } from '../../../src/engine/engine.js';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { ManualClock } from '../../support/manual-clock.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer } from '../../support/text-peer.js';

describe('reliable provisional responses', () => {
  let engine: Engine;
  let clock: ManualClock;
  let client: FrameClient;
  let peer: TextPeer;
  beforeEach(async () => {
    clock = new ManualClock();
    engine = await startEngine({
      sipListen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
      admin: { port: 0, secret: 's' },
      clock,
    });
    client = await FrameClient.start({ port: engine.adminPort, secret: 's' }, ['invite']);
    peer = await TextPeer.open(engine.listeners[0]!.port);
  });
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine.close();
  });

  const RELIABLE = ['Require: 100rel'];
  const respond = (
    frame: Frame,
    status: number,
    headers: readonly string[] = [],
    body = '',
  ): Promise<Frame> => client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, status, headers, body));
  const inDialog = (
    dialogId: string | undefined,
    method: string,
    headers: readonly string[] = [],
    body = '',
  ): Promise<Frame> => client.ask(`sip||${dialogId}`, appRequest(method, 'sip:placeholder', headers, body));
  const rseqOf = (response: string): number => Number(headerOf(response, 'RSeq'));

  /** An INVITE of a caller that knows 100rel, and the frame that the application gets. */
  async function incoming(): Promise<{ invite: string; frame: Frame }> {
    const invite = peer.request({ headers: ['Supported: 100rel'] });
    return { invite, frame: await client.events.next() };
  }

  test('RFC 3262 §3: one is repeated after T1, 2*T1, 4*T1 … beyond T2, and after 64*T1 the INVITE ends with 5xx', async () => {
    const { frame } = await incoming();
    await respond(frame, 183, RELIABLE, SDP);
    const first = await peer.next();
    let atMs = 0;
    for (const nextMs of [500, 1500, 3500, 7500, 15_500, 31_500]) {
      clock.advance(nextMs - atMs - 1);
      await client.ask('ping');
      assert.equal(peer.udp.inbox.size, 0, `nothing before ${nextMs}`);
      clock.advance(1);
      assert.equal(await peer.next(), first, `again at ${nextMs}`);
      atMs = nextMs;
    }
    clock.advance(500);
    assert.equal(statusOf(await peer.next()), 503);
  });

  test('RFC 3262 §3: a second one waits for the PRACK of the first and has the next RSeq', async () => {
    const { invite, frame } = await incoming();
    await respond(frame, 183, RELIABLE, SDP);
    await respond(frame, 180, RELIABLE);
    const first = await peer.next();
    await client.ask('ping');
    assert.equal(peer.udp.inbox.size, 0);
    peer.inDialog(invite, first, 'PRACK', 2, [`RAck: ${rseqOf(first)} 1 INVITE`]);
    await respond(await client.events.next(), 200);
    const both = [await peer.next(), await peer.next()];
    const second = both.find((text) => statusOf(text) === 180)!;
    assert.equal(rseqOf(second), rseqOf(first) + 1);
  });

  test('RFC 3262 §3, §7.2: a PRACK whose RAck names another RSeq, number or method is 481, and so is a second one', async () => {
    const { invite, frame } = await incoming();
    await respond(frame, 183, RELIABLE, SDP);
    const progress = await peer.next();
    const rseq = rseqOf(progress);
    let cseq = 1;
    const prack = (rack: string): string =>
      peer.inDialog(invite, progress, 'PRACK', ++cseq, rack === '' ? [] : [`RAck: ${rack}`]);
    for (const rack of [`${rseq + 1} 1 INVITE`, `${rseq} 2 INVITE`, `${rseq} 1 OPTIONS`, 'nonsense', '']) {
      prack(rack);
      assert.equal(statusOf(await peer.next()), 481, rack);
    }
    assert.equal(client.events.size, 0);
    prack(`${rseq} 1 INVITE`);
    await respond(await client.events.next(), 200);
    assert.equal(statusOf(await peer.next()), 200);
    prack(`${rseq} 1 INVITE`);
    assert.equal(statusOf(await peer.next()), 481);
  });

  test('RFC 3262 §3: an application may insist: 421 with Require: 100rel goes out as it is', async () => {
    peer.request();
    await respond(await client.events.next(), 421, RELIABLE);
    const response = await peer.next();
    assert.deepEqual([statusOf(response), headerOf(response, 'Require')], [421, '100rel']);
  });

  test('RFC 3262 §5: an offer in a PRACK goes to the application, the answer in its 200 to the caller', async () => {
    const { invite, frame } = await incoming();
    await respond(frame, 183, RELIABLE, SDP);
    const progress = await peer.next();
    const offer = SDP.replace('4000', '4002');
    peer.inDialog(
      invite,
      progress,
      'PRACK',
      2,
      [`RAck: ${rseqOf(progress)} 1 INVITE`, 'Content-Type: application/sdp'],
      offer,
    );
    const prack = await client.events.next();
    assert.ok(prack.sip.endsWith(offer));
    await respond(prack, 200, [], SDP);
    const ok = await peer.next();
    assert.deepEqual([statusOf(ok), headerOf(ok, 'CSeq')], [200, '2 PRACK']);
    assert.ok(ok.endsWith(SDP));
  });

  test('RFC 3262 §4, §5: our PRACK carries the answer, and each fork gets its own though they count alike', async () => {
    await client.ask('sip||', appRequest('INVITE', peer.uri, ['Supported: 100rel']));
    const invite = await peer.next();
    const seq = Number.parseInt(headerOf(invite, 'CSeq')!, 10);
    const dialogIds: string[] = [];
    for (const toTag of ['fork1', 'fork2']) {
      peer.respond(invite, 183, { toTag, headers: [...RELIABLE, 'RSeq: 1'], body: SDP });
      dialogIds.push((await client.events.next()).fields[9]!);
    }
    const answer = SDP.replace('4000', '4004');
    for (const toTag of ['fork1', 'fork2']) {
      await inDialog(dialogIds[0], 'PRACK', [`RAck: 1 ${seq} INVITE`], answer);
      const prack = await peer.until(/^PRACK/);
      assert.match(headerOf(prack, 'To')!, new RegExp(`tag=${toTag}$`));
      assert.ok(prack.endsWith(answer));
      peer.respond(prack, 200);
      await client.events.next();
    }
  });

  test('RFC 3262 §4: a reliable response out of order is not told, nor one that comes again', async () => {
    await client.ask('sip||', appRequest('INVITE', peer.uri, ['Supported: 100rel']));
    const invite = await peer.next();
    for (const rseq of [5, 7, 5]) peer.respond(invite, 183, { headers: [...RELIABLE, `RSeq: ${rseq}`] });
    peer.respond(invite, 180);
    assert.deepEqual(
      [rseqOf((await client.events.next()).sip), statusOf((await client.events.next()).sip)],
      [5, 180],
    );
    for (const rseq of [6, 7]) {
      peer.respond(invite, 183, { headers: [...RELIABLE, `RSeq: ${rseq}`] });
      assert.equal(rseqOf((await client.events.next()).sip), rseq);
    }
  });
});
