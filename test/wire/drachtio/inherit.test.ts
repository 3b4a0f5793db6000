import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { FrameClient } from '../../support/frame-client.js';
import { ManualClock } from '../../support/manual-clock.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

describe('dialogs of an application, or of an engine, that is gone', { skip: oursOnly }, () => {
  let engine: WireEngine | undefined;
  let directory: string | undefined;
  let peer: TextPeer;
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine?.close();
    engine = undefined;
    if (directory !== undefined) rmSync(directory, { recursive: true });
    directory = undefined;
  });

  async function app(tag: string, verbs: readonly string[]): Promise<FrameClient> {
    const client = await FrameClient.open(engine!.target.port, engine!.target.host);
    await client.ask(`authenticate|${engine!.target.secret}|${tag}`);
    for (const verb of verbs) await client.ask(`route|${verb}`);
    return client;
  }

  /** A call from the peer that the application answered. */
  async function answeredCall(client: FrameClient) {
    const invite = peer.request({ body: SDP, headers: ['Content-Type: application/sdp'] });
    const { fields, sip } = await client.events.next();
    const echo = await client.ask(`sip|${fields[8]}|`, appResponse(sip, 200, [], SDP));
    const ok = await peer.until(/ 200 /);
    peer.inDialog(invite, ok, 'ACK', 1);
    await client.events.next();
    return { invite, ok, dialogId: echo.fields[11]! };
  }

  const gone = (): Promise<void> => waitFor('its end to be seen', () => engine!.stats().applications === 0);

  test('go to the next one with the same tag that asked for the method; a request waits for it', async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
    peer = await TextPeer.open(engine.udpPort);
    const first = await app('calls', ['invite', 'info', 'bye']);
    const { invite, ok, dialogId } = await answeredCall(first);
    await first.close();
    await gone();
    peer.inDialog(invite, ok, 'INFO', 2);
    await app('others', ['info', 'bye']);
    const next = await app('calls', ['info']);
    const info = await next.events.next();
    assert.match(info.sip, /^INFO /);
    assert.equal(info.fields[9], dialogId);
    await next.ask(`sip|${info.fields[8]}|`, appResponse(info.sip, 200));
    assert.match(await peer.until(/ 200 /), /CSeq: 2 INFO/);
  });

  test('RFC 3261 §12.2.2: what waited goes before what comes later', async () => {
    // Time stands still: nothing looks whether the application is back.
    engine = await startWireEngine({ timers: FAST_TIMERS, clock: new ManualClock() });
    peer = await TextPeer.open(engine.udpPort);
    const first = await app('calls', ['invite', 'info', 'bye']);
    const { invite, ok } = await answeredCall(first);
    await first.close();
    await gone();
    peer.inDialog(invite, ok, 'INFO', 2);
    peer.inDialog(invite, ok, 'INFO', 3);
    const waiting = (): number =>
      Object.values(engine!.stats().transactions.nonInviteServer).reduce((sum, count) => sum + count, 0);
    await waitFor('both to wait', () => waiting() === 2);
    const next = await app('calls', ['info', 'bye']);
    peer.inDialog(invite, ok, 'BYE', 4);
    const order: (string | undefined)[] = [];
    while (order.length < 3) order.push(headerOf((await next.events.next()).sip, 'CSeq'));
    assert.deepEqual(order, ['2 INFO', '3 INFO', '4 BYE']);
  });

  test('RFC 3261 §12.2.2: without a tag the peer hears 481 at once', async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
    peer = await TextPeer.open(engine.udpPort);
    const first = await app('', ['invite', 'info']);
    const { invite, ok } = await answeredCall(first);
    await first.close();
    await gone();
    await app('', ['invite', 'info']);
    peer.inDialog(invite, ok, 'INFO', 2);
    await peer.until(/ 481 /);
  });

  test('RFC 3261 §12.2.1.1: an engine goes on with the dialogs of the one before, with numbers that only grow', async () => {
    directory = mkdtempSync(join(tmpdir(), 'ims-dialogs-'));
    const dialogJournal = { directory, maxAwayMs: 60_000 };
    engine = await startWireEngine({ timers: FAST_TIMERS, dialogJournal });
    const port = engine.udpPort;
    peer = await TextPeer.open(port);
    const first = await app('calls', ['invite']);
    const { dialogId } = await answeredCall(first);
    const before = await first.ask(`sip||${dialogId}`, appRequest('INFO', 'sip:placeholder'));
    await engine.close();
    engine = await startWireEngine({
      timers: FAST_TIMERS,
      dialogJournal,
      sipListen: [{ protocol: 'udp', address: '127.0.0.1', port }],
    });
    assert.equal(engine.stats().dialogs, 1);
    const second = await app('calls', ['invite', 'bye']);
    const after = await second.ask(`sip||${dialogId}`, appRequest('BYE', 'sip:placeholder'));
    const number = ({ sip }: { sip: string }): number => Number(/^CSeq: (\d+)/m.exec(sip)?.[1]);
    assert.ok(number(after) > number(before));
    assert.match(await peer.until(/^BYE /), /^BYE sip:/);
  });
});
