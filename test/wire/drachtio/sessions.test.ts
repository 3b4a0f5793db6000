import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, test } from 'node:test';
import { glareDelaySec } from '../../../src/engine/core/session-keeper.js';
import { type Engine, startEngine } from '../../../src/engine/engine.js';
import type { DialogJournalOptions } from '../../../src/engine/survival/dialog-journal.js';
import type { SavedDialog } from '../../../src/engine/survival/saved-dialog.js';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { ManualClock } from '../../support/manual-clock.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer, tagOf } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';

describe('session timers and addresses', () => {
  let engine: Engine | undefined;
  let clock: ManualClock;
  let client: FrameClient;
  let peer: TextPeer;
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    await engine?.close();
  });

  const start = async (
    advertised?: { address: string; localNetworks?: readonly string[] },
    dialogJournal?: DialogJournalOptions,
  ): Promise<void> => {
    clock = new ManualClock();
    engine = await startEngine({
      sipListen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }],
      admin: { port: 0, secret: 's' },
      clock,
      ...(advertised ? { advertised } : {}),
      ...(dialogJournal ? { dialogJournal } : {}),
    });
    client = await FrameClient.start({ port: engine.adminPort, secret: 's' }, ['invite']);
    peer = await TextPeer.open(engine.listeners[0]!.port);
  };
  const respond = (frame: Frame, status: number, headers: readonly string[] = []): Promise<Frame> =>
    client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, status, headers, SDP));
  const answeredCall = async (asked: string): Promise<{ invite: string; ok: string }> => {
    const invite = peer.request({ headers: [`Session-Expires: ${asked}`, 'Supported: timer'] });
    await respond(await client.events.next(), 200);
    const ok = await peer.next();
    peer.inDialog(invite, ok, 'ACK', 1);
    await client.events.next();
    return { invite, ok };
  };

  test('67: RFC 4028 §9, §10: the peer refreshes; when it stops, the call ends and the application is told', async () => {
    await start();
    const { invite, ok } = await answeredCall('120;refresher=uac');
    assert.equal(headerOf(ok, 'Session-Expires'), '120;refresher=uac');
    assert.equal(headerOf(ok, 'Require'), 'timer');
    clock.advance(80_000);
    peer.inDialog(invite, ok, 'UPDATE', 2, [
      'Session-Expires: 120;refresher=uac',
      'Supported: timer',
      `Contact: <${peer.uri}>`,
    ]);
    const update = await client.events.next();
    await respond(update, 200);
    const refreshed = await peer.next();
    assert.equal(headerOf(refreshed, 'Session-Expires'), '120;refresher=uac');
    assert.equal(headerOf(refreshed, 'Require'), 'timer');
    clock.advance(80_000);
    assert.equal(peer.udp.inbox.size, 0);
    clock.advance(10_000);
    const told = await client.events.next();
    assert.deepEqual([told.fields[2], told.fields[8]], ['application', 'unsolicited']);
    assert.match(headerOf(await peer.until(/^BYE/), 'Reason')!, /Session timer expired/);
  });

  test('67: RFC 4028 §5, §6: a re-INVITE with an interval below 90 s gets 422 with Min-SE, the application hears nothing', async () => {
    await start();
    const { invite, ok } = await answeredCall('120;refresher=uac');
    peer.inDialog(invite, ok, 'INVITE', 2, ['Session-Expires: 30', `Contact: <${peer.uri}>`]);
    const response = await peer.next();
    assert.equal(statusOf(response), 422);
    assert.equal(headerOf(response, 'Min-SE'), '90');
    assert.equal(client.events.size, 0);
  });

  test('68: RFC 4028 §7.2, §7.4: the engine refreshes by itself with the last SDP', async () => {
    await start();
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    const invite = await peer.next();
    peer.respond(invite, 200, { headers: ['Session-Expires: 100;refresher=uac'], body: SDP });
    const { fields } = await client.events.next();
    await client.ask(`sip||${fields[9]}`, appRequest('ACK', 'sip:placeholder'));
    await peer.until(/^ACK/);
    clock.advance(49_000);
    assert.equal(peer.udp.inbox.size, 0);
    clock.advance(1_000);
    const refresh = await peer.until(/^INVITE/);
    assert.equal(refresh.slice(refresh.indexOf('\r\n\r\n') + 4), SDP);
    assert.equal(tagOf(headerOf(refresh, 'To')!), 'b1');
    peer.respond(refresh, 200, { headers: ['Session-Expires: 100;refresher=uac'], body: SDP });
    assert.equal(
      headerOf(await peer.until(/^ACK/), 'CSeq'),
      headerOf(refresh, 'CSeq')!.replace('INVITE', 'ACK'),
    );
    assert.equal(client.events.size, 0);
    clock.advance(50_000);
    const second = await peer.until(/^INVITE/);
    peer.respond(second, 481);
    assert.match(headerOf(await peer.until(/^BYE/), 'Reason')!, /Session timer expired/);
    assert.equal((await client.events.next()).fields[8], 'unsolicited');
  });

  /** A call of ours whose session the engine refreshes, and the re-INVITE that does it. */
  const refreshing = async (intervalSec = 100): Promise<{ dialogId: string; refresh: string }> => {
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    const invite = await peer.next();
    peer.respond(invite, 200, { headers: [`Session-Expires: ${intervalSec}`], body: SDP });
    const dialogId = (await client.events.next()).fields[9]!;
    await client.ask(`sip||${dialogId}`, appRequest('ACK', 'sip:placeholder'));
    await peer.until(/^ACK/);
    clock.advance((intervalSec / 2) * 1000);
    return { dialogId, refresh: await peer.until(/^INVITE/) };
  };

  test('RFC 4028 §7.3: 422 to a refresh has it tried again with the interval that the peer wants', async () => {
    await start();
    const { refresh } = await refreshing();
    assert.equal(headerOf(refresh, 'Session-Expires'), '100;refresher=uac');
    peer.respond(refresh, 422, { headers: ['Min-SE: 300'] });
    const again = await peer.until(/^INVITE/);
    assert.equal(headerOf(again, 'Session-Expires'), '300;refresher=uac');
    assert.equal(headerOf(again, 'Min-SE'), '300');
    peer.respond(again, 200, { headers: ['Session-Expires: 300;refresher=uac'], body: SDP });
    await peer.until(/^ACK/);
    clock.advance(149_000);
    await client.ask('ping');
    assert.equal(peer.udp.inbox.size, 0);
    clock.advance(1_000);
    peer.respond(await peer.until(/^INVITE/), 422);
    assert.match(headerOf(await peer.until(/^BYE/), 'Reason')!, /Session timer expired/);
  });

  test('RFC 4028 §7.4: a peer whose Allow names UPDATE is refreshed by UPDATE; one that takes none after all by re-INVITE', async () => {
    await start();
    await client.ask('sip||', appRequest('INVITE', peer.uri, [], SDP));
    const headers = ['Session-Expires: 100;refresher=uac', 'Allow: INVITE, ACK, BYE, UPDATE'];
    peer.respond(await peer.next(), 200, { headers, body: SDP });
    const { fields } = await client.events.next();
    await client.ask(`sip||${fields[9]}`, appRequest('ACK', 'sip:placeholder'));
    await peer.until(/^ACK/);
    clock.advance(50_000);
    const update = await peer.until(/^UPDATE/);
    assert.equal(headerOf(update, 'Session-Expires'), '100;refresher=uac');
    assert.equal(update.slice(update.indexOf('\r\n\r\n') + 4), '');
    peer.respond(update, 200, { headers: ['Session-Expires: 100;refresher=uac'] });
    await client.ask('ping');
    clock.advance(50_000);
    peer.respond(await peer.until(/^UPDATE/), 501);
    const invite = await peer.until(/^INVITE/);
    assert.equal(invite.slice(invite.indexOf('\r\n\r\n') + 4), SDP);
    peer.respond(invite, 200, { headers: ['Session-Expires: 100;refresher=uac'], body: SDP });
    await peer.until(/^ACK/);
    assert.equal(client.events.size, 0);
    clock.advance(50_000);
    peer.respond(await peer.until(/^INVITE/), 408);
    assert.match(headerOf(await peer.until(/^BYE/), 'Reason')!, /Session timer expired/);
  });

  test('RFC 3261 §14.1: a refresh that met 491 is tried again, by the caller after 2.1 to 4 s', async () => {
    await start();
    const { refresh } = await refreshing();
    peer.respond(refresh, 491);
    await peer.until(/^ACK/);
    clock.advance(2_090);
    await client.ask('ping');
    assert.equal(peer.udp.inbox.size, 0);
    clock.advance(1_910);
    assert.match(await peer.until(/^INVITE/), /Session-Expires: 100;refresher=uac/);
    assert.equal(client.events.size, 0);
    const delays = (role: 'uac' | 'uas'): number[] => Array.from({ length: 2000 }, () => glareDelaySec(role));
    for (const [role, least, most] of [
      ['uac', 2.1, 4],
      ['uas', 0, 2],
    ] as const)
      assert.ok(delays(role).every((sec) => sec >= least && sec <= most));
  });

  /** Moves time on until something comes; fails after `mostMs`. */
  const nextWithin = async (mostMs: number): Promise<string> => {
    for (let ms = 0; ms < mostMs && peer.udp.inbox.size === 0; ms += 100) {
      clock.advance(100);
      await client.ask('ping');
      // What was sent before the answer is read in the same turn or the next.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    return peer.next();
  };

  test('RFC 4028 §10: a peer that puts every refresh off loses the session when its time is up', async () => {
    await start();
    let { refresh } = await refreshing();
    const from = clock.monotonic();
    let count = 0;
    for (; !refresh.startsWith('BYE') && count < 20; count++) {
      peer.respond(refresh, 491);
      await peer.until(/^ACK/);
      refresh = await nextWithin(4_100);
    }
    assert.ok(count >= 4, `${count} refreshes`);
    assert.match(headerOf(refresh, 'Reason')!, /Session timer expired/);
    // A third of the interval before its end.
    assert.ok(Math.abs(clock.monotonic() - from - 18_000) <= 200, `${clock.monotonic() - from} ms`);
    assert.equal((await client.events.next()).fields[8], 'unsolicited');
  });

  test('RFC 3261 §14.1: a refresh that met 500 is tried again when Retry-After says, and not after the session', async () => {
    await start();
    const { refresh } = await refreshing();
    peer.respond(refresh, 500, { headers: ['Retry-After: 5 (an offer of mine)'] });
    await peer.until(/^ACK/);
    clock.advance(4_900);
    await client.ask('ping');
    assert.equal(peer.udp.inbox.size, 0);
    peer.respond(await nextWithin(200), 500, { headers: ['Retry-After: 60'] });
    await peer.until(/^ACK/);
    clock.advance(12_800);
    await client.ask('ping');
    assert.equal(peer.udp.inbox.size, 0);
    assert.match(await nextWithin(400), /^BYE/);
  });

  test('RFC 4028 §7.3, RFC 3261 §12.2.1.2: what a refresh changed outlives the engine', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ims-sessions-'));
    try {
      await start(undefined, { directory, maxAwayMs: 60_000 });
      let { refresh } = await refreshing(1000);
      const kept = async (what: string, isSo: (saved: SavedDialog) => boolean): Promise<SavedDialog> => {
        let saved: SavedDialog | undefined;
        await waitFor(what, () => {
          // The journal waits 20 ms for more; a message of ours would be repeated after 500.
          clock.advance(5);
          const lines = readFileSync(join(directory, 'dialogs.journal'), 'utf8').split('\n');
          const last = lines.findLast((line) => line.startsWith('{"put"'));
          saved = last === undefined ? undefined : (JSON.parse(last) as { put: SavedDialog }).put;
          return saved !== undefined && isSo(saved);
        });
        return saved!;
      };
      const before = await kept('the dialog', () => true);
      // A restored dialog goes on 200 above the number that is kept.
      for (let count = 0; count < 110; count++) {
        peer.respond(refresh, 491);
        await peer.until(/^ACK/);
        await client.ask('ping');
        clock.advance(4000);
        refresh = await peer.until(/^INVITE/);
      }
      await kept('its numbers', ({ localSeq }) => localSeq >= before.localSeq + 100);
      peer.respond(refresh, 422, { headers: ['Min-SE: 2000'] });
      const again = await peer.until(/^INVITE/);
      const headers = ['Session-Expires: 2000;refresher=uac'];
      const moved = 'sip:moved@127.0.0.1:9';
      peer.respond(again, 200, { headers, body: SDP, contact: `<${moved}>` });
      const { session } = await kept('the target', (saved) => saved.peer.target === moved);
      assert.deepEqual(session, { intervalSec: 2000, isRefresherUs: true });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('RFC 4028 §10: so does one that never says the last word', async () => {
    await start();
    const { refresh } = await refreshing();
    peer.respond(refresh, 180);
    await client.ask('ping');
    clock.advance(17_900);
    await client.ask('ping');
    assert.equal(peer.udp.inbox.size, 0);
    clock.advance(200);
    assert.match(headerOf(await peer.until(/^BYE/), 'Reason')!, /Session timer expired/);
  });

  test('RFC 3261 §14.1: an application’s re-INVITE waits while the engine’s own refresh is open', async () => {
    await start();
    const { dialogId, refresh } = await refreshing();
    const invite = client.ask(
      `sip||${dialogId}`,
      appRequest('INVITE', 'sip:placeholder', ['X-Ours: no'], SDP),
    );
    await client.ask('ping');
    assert.equal(peer.udp.inbox.size, 0);
    peer.respond(refresh, 200, { headers: ['Session-Expires: 100;refresher=uac'], body: SDP });
    assert.match(await peer.next(), /^ACK/);
    assert.match(await peer.next(), /^INVITE.*X-Ours: no/s);
    assert.equal((await invite).fields[3], 'OK');
  });

  test('RFC 3261 §14.2, RFC 3311 §5.2: an offer of the peer that meets the engine’s own refresh is 491', async () => {
    await start();
    const { refresh } = await refreshing();
    const ours = (method: string, cseq: number, body: string): void =>
      peer.send(
        `${method} sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${cseq}\r\nFrom: ${headerOf(refresh, 'To')}\r\nTo: ${headerOf(refresh, 'From')}\r\nCall-ID: ${headerOf(refresh, 'Call-ID')}\r\nCSeq: ${cseq} ${method}\r\nContact: <${peer.uri}>\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
    ours('UPDATE', 1, SDP);
    assert.equal(statusOf(await peer.next()), 491);
    ours('INVITE', 2, SDP);
    assert.equal(statusOf(await peer.next()), 491);
    assert.equal(client.events.size, 0);
    ours('UPDATE', 3, '');
    assert.match((await client.events.next()).sip, /^UPDATE/);
  });

  test('RFC 4028 §7.4: an application’s re-INVITE or UPDATE goes on with the interval and the refresher', async () => {
    await start();
    const { dialogId, refresh } = await refreshing();
    peer.respond(refresh, 200, { headers: ['Session-Expires: 100;refresher=uas'], body: SDP });
    await peer.until(/^ACK/);
    await client.ask(`sip||${dialogId}`, appRequest('UPDATE', 'sip:placeholder'));
    const update = await peer.until(/^UPDATE/);
    assert.equal(headerOf(update, 'Session-Expires'), '100;refresher=uas');
    assert.equal(headerOf(update, 'Supported'), 'timer');
    peer.respond(update, 200, { headers: ['Session-Expires: 200;refresher=uac'] });
    await client.events.next();
    await client.ask(`sip||${dialogId}`, appRequest('INVITE', 'sip:placeholder', [], SDP));
    assert.equal(headerOf(await peer.until(/^INVITE/), 'Session-Expires'), '200;refresher=uac');
  });

  test('RFC 4028 §9: a re-INVITE that says nothing of the session leaves it to us to refresh it', async () => {
    await start();
    const { invite, ok } = await answeredCall('120;refresher=uas');
    peer.inDialog(invite, ok, 'INVITE', 2, [`Contact: <${peer.uri}>`], SDP);
    await respond(await client.events.next(), 200);
    const again = await peer.next();
    assert.equal(headerOf(again, 'Session-Expires'), '120;refresher=uas');
    peer.inDialog(invite, again, 'ACK', 2);
    await client.events.next();
    clock.advance(60_000);
    assert.match(await peer.until(/^INVITE/), /Session-Expires: 120;refresher=uac/);
  });

  test('3: an advertised address is told to applications and peers, the bound one in localHostports and receivedOn', async () => {
    await start({ address: '203.0.113.9', localNetworks: ['10.0.0.0/8'] });
    const { port } = engine!.listeners[0]!;
    const probe = await FrameClient.open(engine!.adminPort);
    const { fields } = await probe.ask('authenticate|s|');
    assert.deepEqual([fields[4], fields[6]], [`udp/203.0.113.9:${port}`, `udp/127.0.0.1:${port}`]);
    peer.request();
    const frame = await client.events.next();
    assert.equal(frame.fields[10], '127.0.0.1');
    const echo = await respond(frame, 200);
    assert.equal(headerOf(echo.sip, 'Contact'), `<sip:203.0.113.9:${port}>`);
    assert.equal(
      (await client.ask('sip||', appRequest('OPTIONS', `sip:203.0.113.9:${port}`))).fields[4],
      'can not send request to myself',
    );
  });

  test('3: peers of local networks are told the bound address', async () => {
    await start({ address: '203.0.113.9', localNetworks: ['127.0.0.0/8'] });
    peer.request();
    const echo = await respond(await client.events.next(), 200);
    assert.match(headerOf(echo.sip, 'Contact')!, /127\.0\.0\.1/);
  });
});
