import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { disconnectApps } from '../../support/b2bua-app.js';
import { startProxyApp } from '../../support/proxy-app.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, headersOf, statusOf } from '../../support/sip-text.js';
import { SDP, TextPeer, tagOf } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

describe('proxying for drachtio-srf', () => {
  let engine: WireEngine;
  let caller: TextPeer;
  let callees: TextPeer[];
  before(async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
  });
  after(() => engine.close());
  afterEach(async () => {
    disconnectApps();
    await TextPeer.closeAll();
  });

  const openPeers = async (count: number): Promise<void> => {
    caller = await TextPeer.open(engine.udpPort);
    callees = [];
    for (let i = 0; i < count; i++) callees.push(await TextPeer.open(engine.udpPort));
  };
  const ownUri = (): string => `sip:bob@127.0.0.1:${engine.udpPort}`;
  /** A port where nobody is. */
  const deadUri = async (): Promise<string> => {
    const socket = await RawUdp.open();
    const { port } = socket;
    await socket.close();
    return `sip:127.0.0.1:${port}`;
  };
  const statuses = (results: { responses: { msgs: { status: number }[] }[] }): number[] =>
    results.responses.flatMap(({ msgs }) => msgs.map(({ status }) => status));

  test('69: RFC 3261 §16.6: an INVITE goes on with our Via and one hop less, its responses come back', async () => {
    await openPeers(1);
    const app = await startProxyApp(engine, callees);
    const invite = caller.request({ headers: ['X-Asked: yes', 'X-Asked: no'], body: SDP });
    assert.equal(statusOf(await caller.udp.inbox.next()), 100);
    const copy = await callees[0]!.until(/^INVITE/);
    assert.equal(headersOf(copy, 'Via').length, 2);
    assert.match(
      headersOf(copy, 'Via')[0]!,
      new RegExp(`127.0.0.1:${engine.udpPort};(?:rport;)?branch=z9hG4bK`),
    );
    assert.equal(headerOf(copy, 'Max-Forwards'), '69');
    assert.equal(headerOf(copy, 'Record-Route'), undefined);
    assert.deepEqual(headersOf(copy, 'X-Asked'), ['yes', 'no']);
    for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Contact'])
      assert.equal(headerOf(copy, name), headerOf(invite, name), name);
    assert.ok(copy.endsWith(SDP));
    callees[0]!.respond(copy, 100);
    callees[0]!.respond(copy, 180);
    assert.equal(statusOf(await caller.udp.inbox.next()), 180, 'RFC 3261 §16.7 item 5: no 100 goes on');
    callees[0]!.respond(copy, 200, { body: SDP });
    const ok = await caller.next();
    assert.equal(statusOf(ok), 200);
    assert.equal(headersOf(ok, 'Via').length, 1);
    assert.ok(ok.endsWith(SDP));
    const { connected, finalStatus, responses } = await app.first;
    assert.deepEqual([connected, finalStatus, responses[0].port], [true, 200, callees[0]!.port]);
  });

  test('69: RFC 3261 §16.9: serial: the next destination after one that is dead and one that is busy', async () => {
    await openPeers(2);
    const app = await startProxyApp(engine, [...(oursOnly ? [] : [await deadUri()]), ...callees]);
    caller.request();
    const busy = await callees[0]!.until(/^INVITE/);
    assert.equal(callees[1]!.udp.inbox.size, 0);
    callees[0]!.respond(busy, 486);
    await callees[0]!.until(/^ACK/);
    const copy = await callees[1]!.until(/^INVITE/);
    callees[1]!.respond(copy, 200);
    assert.equal(statusOf(await caller.next()), 200);
    const results = await app.first;
    assert.deepEqual(statuses(results), [486, 200]);
    assert.equal(results.connected, true);
  });

  test('70: simultaneous: RFC 3261 §16.7 item 10: the first 200 wins, the others are cancelled', async () => {
    await openPeers(2);
    const app = await startProxyApp(engine, callees, { proxy: { forking: 'simultaneous' } });
    caller.request();
    const [won, lost] = await Promise.all(callees.map((callee) => callee.until(/^INVITE/)));
    callees[0]!.respond(won!, 180, { toTag: 'w' });
    callees[1]!.respond(lost!, 180, { toTag: 'l' });
    assert.deepEqual(
      [await caller.next(), await caller.next()].map((text) => tagOf(headerOf(text, 'To')!)).sort(),
      ['l', 'w'],
    );
    callees[0]!.respond(won!, 200, { toTag: 'w' });
    assert.equal(statusOf(await caller.next()), 200);
    const cancel = await callees[1]!.until(/^CANCEL/);
    assert.equal(headerOf(cancel, 'Via'), headersOf(lost!, 'Via')[0]);
    callees[1]!.respond(cancel, 200);
    callees[1]!.respond(lost!, 487, { toTag: 'l' });
    await callees[1]!.until(/^ACK/);
    assert.equal((await app.first).connected, true);
    assert.equal(caller.udp.inbox.size, 0);
  });

  test('70: RFC 3261 §16.7 item 5: a late 2xx of another branch goes to the caller too', {
    skip: oursOnly,
  }, async () => {
    await openPeers(2);
    await startProxyApp(engine, callees, { proxy: { forking: 'simultaneous' } });
    caller.request();
    const [first, second] = await Promise.all(callees.map((callee) => callee.until(/^INVITE/)));
    callees[0]!.respond(first!, 200, { toTag: 'one' });
    callees[1]!.respond(second!, 200, { toTag: 'two' });
    const answers = [await caller.next(), await caller.next()];
    assert.deepEqual(answers.map(statusOf), [200, 200]);
    assert.deepEqual(answers.map((text) => tagOf(headerOf(text, 'To')!)).sort(), ['one', 'two']);
    callees[1]!.respond(second!, 200, { toTag: 'two' });
    assert.equal(tagOf(headerOf(await caller.next(), 'To')!), 'two', 'RFC 6026 §7.2: repeated ones as well');
  });

  test('70: all refuse: RFC 3261 §16.7 item 6: the lowest class goes back, once all are done', async () => {
    await openPeers(2);
    const app = await startProxyApp(engine, callees, { proxy: { forking: 'simultaneous' } });
    const invite = caller.request();
    const [busy, broken] = await Promise.all(callees.map((callee) => callee.until(/^INVITE/)));
    callees[1]!.respond(broken!, 503);
    await callees[1]!.until(/^ACK/);
    assert.equal(statusOf(await caller.udp.inbox.next()), 100);
    assert.equal(caller.udp.inbox.size, 0);
    callees[0]!.respond(busy!, 486);
    const final = await caller.next();
    assert.equal(statusOf(final), 486);
    caller.acknowledge(invite, final);
    const results = await app.first;
    assert.deepEqual(statuses(results), [503, 486]);
    assert.equal(results.connected, false);
  });

  test('70: nobody says a word: 408', { skip: oursOnly }, async () => {
    await openPeers(2);
    const app = await startProxyApp(engine, callees, { proxy: { forking: 'simultaneous' } });
    caller.request();
    assert.equal(statusOf(await caller.next()), 408);
    assert.deepEqual(statuses(await app.first), []);
  });

  test('71: provisionalTimeout: a silent destination is left for the next', async () => {
    await openPeers(2);
    await startProxyApp(engine, callees, { proxy: { provisionalTimeout: '200ms' } });
    caller.request();
    const silent = await callees[0]!.until(/^INVITE/);
    const copy = await callees[1]!.until(/^INVITE/);
    if (!oursOnly) {
      callees[0]!.respond(silent, 180);
      await callees[0]!.until(/^CANCEL/);
    }
    callees[1]!.respond(copy, 200);
    assert.equal(statusOf(await caller.next()), 200, 'the 180 of the one that was left does not go on');
  });

  test('71: provisionalTimeout: nobody left is 408 at once', async () => {
    await openPeers(1);
    const app = await startProxyApp(engine, callees, { proxy: { provisionalTimeout: '200ms' } });
    caller.request();
    assert.equal(statusOf(await caller.next()), 408);
    assert.equal((await app.first).connected, false);
  });

  test('71: a provisional, 100 included, ends the provisionalTimeout', async () => {
    await openPeers(1);
    await startProxyApp(engine, callees, { proxy: { provisionalTimeout: '200ms' } });
    caller.request();
    const copy = await callees[0]!.until(/^INVITE/);
    callees[0]!.respond(copy, 100);
    await new Promise((resolve) => setTimeout(resolve, 300));
    callees[0]!.respond(copy, 200);
    assert.equal(statusOf(await caller.next()), 200);
  });

  test('71: finalTimeout: a destination that rings too long is cancelled, the next is tried', {
    skip: oursOnly,
  }, async () => {
    await openPeers(2);
    const app = await startProxyApp(engine, callees, { proxy: { finalTimeout: '200ms' } });
    caller.request();
    const ringing = await callees[0]!.until(/^INVITE/);
    callees[0]!.respond(ringing, 180, { toTag: 'r' });
    assert.equal(statusOf(await caller.next()), 180);
    const cancel = await callees[0]!.until(/^CANCEL/);
    callees[0]!.respond(cancel, 200);
    const copy = await callees[1]!.until(/^INVITE/);
    callees[0]!.respond(ringing, 487, { toTag: 'r' });
    callees[1]!.respond(copy, 486);
    assert.equal(statusOf(await caller.next()), 486);
    assert.deepEqual(statuses(await app.first), [487, 486]);
  });

  test('71: RFC 3261 §16.7 item 4: followRedirects: the Contacts of a 302 by q, each once', {
    skip: oursOnly,
  }, async () => {
    await openPeers(3);
    const app = await startProxyApp(engine, [callees[0]!], { proxy: { followRedirects: true } });
    const uri = ownUri();
    caller.request({ uri });
    const [a, b, c] = callees as [TextPeer, TextPeer, TextPeer];
    const contacts = `<sip:b@127.0.0.1:${b.port}>;q=0.2, <sip:c@127.0.0.1:${c.port}>;q=0.9, <sip:127.0.0.1:${a.port}>`;
    const moved = await a.until(/^INVITE/);
    a.send(redirect(moved, contacts));
    await a.until(/^ACK/);
    const best = await c.until(/^INVITE/);
    assert.match(best, new RegExp(`^INVITE sip:c@127.0.0.1:${c.port} SIP`));
    // A loop: the first again, and itself.
    c.send(redirect(best, `<sip:127.0.0.1:${a.port}>, <sip:c@127.0.0.1:${c.port}>`));
    const next = await b.until(/^INVITE/);
    b.respond(next, 486);
    const final = await caller.next();
    assert.ok([302, 486].includes(statusOf(final)!));
    assert.deepEqual(statuses(await app.first), [302, 302, 486]);
    while (a.udp.inbox.size > 0) assert.match(await a.next(), /^ACK/);
  });

  test('71: without followRedirects a 302 goes back', async () => {
    await openPeers(1);
    await startProxyApp(engine, callees);
    caller.request();
    const copy = await callees[0]!.until(/^INVITE/);
    callees[0]!.send(redirect(copy, '<sip:elsewhere@192.0.2.1>'));
    const final = await caller.next();
    assert.equal(statusOf(final), 302);
    assert.match(headerOf(final, 'Contact')!, /elsewhere/);
  });

  test('71: RFC 3261 §16.3 item 3: Max-Forwards 0 is 483, and the application hears why', async () => {
    await openPeers(1);
    const app = await startProxyApp(engine, callees);
    const text = caller.request({ callId: 'last-hop' });
    caller.send(
      text
        .replace('Max-Forwards: 70', 'Max-Forwards: 0')
        .replace(/branch=\S+/, 'branch=z9hG4bKzero')
        .replace('last-hop', 'no-hop'),
    );
    const copy = await callees[0]!.until(/^INVITE/);
    assert.equal(headerOf(copy, 'Call-ID'), 'last-hop');
    const answer = await caller.until(/ 483 /);
    assert.equal(headerOf(answer, 'Call-ID'), 'no-hop');
    await waitFor('the second request', () => app.results.length === 2);
    await assert.rejects(app.results[1]!, (error) =>
      /Rejected with 483 Too Many Hops due to Max-Forwards value of 0/.test(String(error)),
    );
  });

  test('72: RFC 3261 §16.10: the caller gives up', async () => {
    await openPeers(1);
    const app = await startProxyApp(engine, callees);
    let cancels = 0;
    app.srf.use((req: { method: string }, _res: unknown, next: () => void) => {
      if (req.method === 'CANCEL') cancels++;
      next();
    });
    const invite = caller.request();
    const copy = await callees[0]!.until(/^INVITE/);
    callees[0]!.respond(copy, 180);
    assert.equal(statusOf(await caller.next()), 180);
    caller.send(cancelText(invite, ['Reason: SIP;cause=200;text="elsewhere"']));
    const toCancel = await caller.until(/ 200 /);
    assert.match(headerOf(toCancel, 'CSeq')!, /CANCEL/);
    const cancel = await callees[0]!.until(/^CANCEL/);
    if (!oursOnly) assert.match(headerOf(cancel, 'Reason')!, /elsewhere/, 'RFC 3326 §2');
    callees[0]!.respond(cancel, 200);
    callees[0]!.respond(copy, 487);
    const final = await caller.next();
    assert.equal(statusOf(final), 487);
    caller.acknowledge(invite, final);
    const results = await app.first;
    assert.deepEqual(statuses(results), [487]);
    assert.equal(cancels, 0);
  });

  test('72: the caller of a silent destination hears 487 at once', async () => {
    await openPeers(1);
    await startProxyApp(engine, callees);
    const invite = caller.request();
    const copy = await callees[0]!.until(/^INVITE/);
    const startedMs = performance.now();
    caller.send(cancelText(invite));
    assert.equal(statusOf(await caller.until(/ 487 /)), 487);
    assert.ok(performance.now() - startedMs < 500);
    callees[0]!.respond(copy, 180);
    await callees[0]!.until(/^CANCEL/);
  });

  test('73: RFC 3327 §4, §5.2: a REGISTER with path', async () => {
    await openPeers(1);
    const app = await startProxyApp(engine, callees, { method: 'register', proxy: { path: true } });
    caller.request({ method: 'REGISTER', headers: ['Contact: <sip:bob@127.0.0.1>', 'Supported: path'] });
    const copy = await callees[0]!.until(/^REGISTER/);
    assert.match(headerOf(copy, 'Path')!, new RegExp(`^<sip:127.0.0.1:${engine.udpPort};.*lr`));
    assert.equal(headerOf(copy, 'Require'), 'path');
    assert.equal(headerOf(copy, 'Record-Route'), undefined);
    callees[0]!.respond(copy, 200);
    assert.equal(statusOf(await caller.next()), 200);
    assert.equal((await app.first).connected, true);
  });

  test('73: a local Request-URI is replaced by the destination, a foreign one is kept', async () => {
    await openPeers(1);
    await startProxyApp(engine, callees);
    caller.request({ uri: ownUri() });
    assert.match(
      await callees[0]!.until(/^INVITE/),
      new RegExp(`^INVITE sip:127.0.0.1:${callees[0]!.port} `),
    );
    caller.request({ uri: 'sip:bob@far.example' });
    await callees[0]!.until(/^INVITE sip:bob@far.example /);
  });

  test('extra headers of the application are added, what makes the dialog is not touched', async () => {
    await openPeers(1);
    await startProxyApp(engine, callees, {
      proxy: { headers: { 'X-Prox': '1', Subject: 'ours', From: 'sip:other@example.com', 'Call-ID': 'x' } },
    });
    const invite = caller.request({ headers: ['Subject: theirs'] });
    const copy = await callees[0]!.until(/^INVITE/);
    assert.equal(headerOf(copy, 'X-Prox'), '1');
    if (!oursOnly) {
      assert.deepEqual(headersOf(copy, 'Subject'), ['ours']);
      assert.deepEqual(headersOf(copy, 'From'), headersOf(invite, 'From'));
      assert.deepEqual(headersOf(copy, 'Call-ID'), headersOf(invite, 'Call-ID'));
    }
  });

  test('an application that goes away leaves the call to us', async () => {
    await openPeers(1);
    const app = await startProxyApp(engine, callees);
    app.first.catch(() => {});
    caller.request();
    const copy = await callees[0]!.until(/^INVITE/);
    app.srf.disconnect();
    callees[0]!.respond(copy, 180);
    assert.equal(statusOf(await caller.next()), 180);
    callees[0]!.respond(copy, 200);
    assert.equal(statusOf(await caller.next()), 200);
  });

  test('RFC 4320 §4.1, §4.2: of other methods no provisional and no 408 goes back', {
    skip: oursOnly,
  }, async () => {
    await openPeers(1);
    const app = await startProxyApp(engine, callees, { method: 'options' });
    caller.request({ method: 'OPTIONS' });
    const copy = await callees[0]!.until(/^OPTIONS/);
    callees[0]!.respond(copy, 180);
    callees[0]!.respond(copy, 200);
    assert.equal(statusOf(await caller.udp.inbox.next()), 200);
    caller.request({ method: 'OPTIONS' });
    await callees[0]!.until(/^OPTIONS/);
    await waitFor('the second request', () => app.results.length === 2);
    assert.equal((await app.results[1]!).connected, false);
    while (caller.udp.inbox.size > 0) assert.equal(statusOf(await caller.udp.inbox.next()), 100);
  });
});

function redirect(request: string, contacts: string): string {
  const kept = request.split('\r\n').filter((line) => /^(Via|From|Call-ID|CSeq):/i.test(line));
  const to = `To: ${headerOf(request, 'To')};tag=moved`;
  return ['SIP/2.0 302 Moved', ...kept, to, `Contact: ${contacts}`, 'Content-Length: 0', '', ''].join('\r\n');
}

function cancelText(invite: string, headers: readonly string[] = []): string {
  const kept = invite.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|Max-Forwards):/i.test(line));
  const start = invite.slice(0, invite.indexOf('\r\n')).replace(/^INVITE/, 'CANCEL');
  const cseq = `CSeq: ${headerOf(invite, 'CSeq')!.replace('INVITE', 'CANCEL')}`;
  return [start, ...kept, cseq, ...headers, 'Content-Length: 0', '', ''].join('\r\n');
}
