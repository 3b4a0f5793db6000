import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { disconnectApps } from '../../support/b2bua-app.js';
import { type ProxyApp, startProxyApp } from '../../support/proxy-app.js';
import { RawTcp } from '../../support/raw-sockets.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, headersOf, requestText, responseText, statusOf } from '../../support/sip-text.js';
import { TextPeer, tagOf } from '../../support/text-peer.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

interface Call {
  readonly invite: string;
  /** The INVITE as the callee got it. */
  readonly copy: string;
  readonly ok: string;
  /** Values of Route that each side sends. */
  readonly callerRoutes: string[];
  readonly calleeRoutes: string[];
}

describe('dialogs that were record-routed', () => {
  let engine: WireEngine;
  let app: ProxyApp;
  let caller: TextPeer;
  let callee: TextPeer;
  before(async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
  });
  after(() => engine.close());
  afterEach(async () => {
    disconnectApps();
    await TextPeer.closeAll();
  });

  const start = async (proxy: object = { remainInDialog: true }): Promise<void> => {
    caller = await TextPeer.open(engine.udpPort);
    callee = await TextPeer.open(engine.udpPort);
    app = await startProxyApp(engine, [callee], { proxy });
  };
  /** A call through the proxy, up to the ACK, which the callee has seen. */
  const establish = async (): Promise<Call> => {
    const invite = caller.request();
    const copy = await callee.until(/^INVITE/);
    const recordRoutes = headersOf(copy, 'Record-Route');
    callee.respond(copy, 200, { headers: recordRoutes.map((value) => `Record-Route: ${value}`) });
    const ok = await caller.until(/ 200 /);
    const callerRoutes = headersOf(ok, 'Record-Route').reverse();
    caller.inDialog(invite, ok, 'ACK', 1, routeLines(callerRoutes));
    return { invite, copy, ok, callerRoutes, calleeRoutes: recordRoutes };
  };
  /** A request of the callee in the call. */
  const fromCallee = (call: Call, method: string, routes = call.calleeRoutes): string =>
    callee.request({
      method,
      uri: caller.uri,
      callId: headerOf(call.invite, 'Call-ID')!,
      fromTag: tagOf(headerOf(call.ok, 'To')!)!,
      toTag: tagOf(headerOf(call.invite, 'From')!)!,
      headers: routeLines(routes),
    });

  test('69: RFC 3261 §16.11, §16.6 item 4: Record-Route; ACK, re-INVITE and BYE pass both ways without the application', async () => {
    await start();
    const call = await establish();
    assert.equal(call.calleeRoutes.length, 1);
    assert.match(call.calleeRoutes[0]!, new RegExp(`^<sip:127.0.0.1:${engine.udpPort};(?:.*;)?lr`));
    const ack = await callee.until(/^ACK/);
    assert.match(ack, new RegExp(`^ACK ${callee.uri} SIP`));
    assert.equal(headerOf(ack, 'Route'), undefined);
    assert.equal(headersOf(ack, 'Via').length, 2);
    await app.first;
    app.srf.disconnect();
    for (const [from, to, send] of [
      [
        caller,
        callee,
        () => caller.inDialog(call.invite, call.ok, 'INVITE', 2, routeLines(call.callerRoutes)),
      ],
      [callee, caller, () => fromCallee(call, 'INVITE')],
    ] as const) {
      const sent = send();
      const passed = await to.until(/^INVITE/);
      assert.equal(headerOf(passed, 'Route'), undefined);
      if (!oursOnly) assert.equal(headerOf(passed, 'Max-Forwards'), '69');
      assert.equal(headersOf(passed, 'Via').length, 2);
      to.respond(passed, 200);
      const ok = await from.until(/ 200 /);
      assert.equal(headerOf(ok, 'CSeq'), headerOf(sent, 'CSeq'));
    }
    fromCallee(call, 'BYE');
    const bye = await caller.until(/^BYE/);
    caller.respond(bye, 200);
    assert.match(headerOf(await callee.until(/ 200 /), 'CSeq')!, /BYE/);
  });

  test('69: without remainInDialog we are not in the way', async () => {
    await start({});
    const call = await establish();
    assert.deepEqual(call.calleeRoutes, []);
  });

  test('RFC 3261 §16.10: a re-INVITE can be cancelled on its way', { skip: oursOnly }, async () => {
    await start();
    const call = await establish();
    const reinvite = caller.inDialog(call.invite, call.ok, 'INVITE', 2, routeLines(call.callerRoutes));
    assert.equal(statusOf(await caller.until(/ 100 /)), 100, 'RFC 3261 §16.2: a stateful proxy');
    const passed = await callee.until(/^INVITE/);
    callee.respond(passed, 180);
    await caller.until(/ 180 /);
    caller.send(
      reinvite
        .replace(/^INVITE/, 'CANCEL')
        .replace(/^(CSeq: \d+) INVITE/m, '$1 CANCEL')
        .replace(/^Contact:.*\r\n/m, ''),
    );
    assert.match(headerOf(await caller.until(/ 200 /), 'CSeq')!, /CANCEL/);
    const cancel = await callee.until(/^CANCEL/);
    callee.respond(cancel, 200);
    callee.respond(passed, 487);
    assert.equal(statusOf(await caller.until(/ 487 /)), 487);
  });

  test('RFC 5658 §3: over two transports two Record-Routes, and each side uses its own', {
    skip: oursOnly,
  }, async () => {
    await start();
    const phone = await RawTcp.connect(engine.tcpPort);
    const via = `SIP/2.0/TCP 127.0.0.1:${phone.socket.localPort}`;
    const contact = `Contact: <sip:phone@127.0.0.1:${phone.socket.localPort};transport=tcp>`;
    const invite = requestText({ method: 'INVITE', via, callId: 'two-sides', headers: [contact] });
    phone.send(invite);
    const copy = await callee.until(/^INVITE/);
    const routes = headersOf(copy, 'Record-Route');
    assert.equal(routes.length, 2);
    assert.match(routes[0]!, new RegExp(`^<sip:127.0.0.1:${engine.udpPort};lr`));
    assert.match(routes[1]!, new RegExp(`^<sip:127.0.0.1:${engine.tcpPort};transport=tcp;lr;`));
    callee.respond(copy, 200, { headers: routes.map((value) => `Record-Route: ${value}`) });
    let ok = await phone.inbox.next();
    while (statusOf(ok) !== 200) ok = await phone.inbox.next();
    const toTag = tagOf(headerOf(ok, 'To')!)!;
    const back = headersOf(ok, 'Record-Route').reverse();
    const inDialog = { via, callId: 'two-sides', toTag, uri: callee.uri, headers: routeLines(back) };
    phone.send(requestText({ ...inDialog, method: 'ACK' }));
    assert.equal(headerOf(await callee.until(/^ACK/), 'Route'), undefined);
    phone.send(requestText({ ...inDialog, method: 'BYE', cseq: 2 }));
    const bye = await callee.until(/^BYE/);
    assert.match(headersOf(bye, 'Via')[0]!, /SIP\/2.0\/UDP/);
    callee.respond(bye, 200);
    assert.equal(statusOf(await phone.inbox.next()), 200);
    callee.request({
      method: 'INFO',
      uri: /<(.*)>/.exec(contact)![1]!,
      callId: 'two-sides',
      fromTag: toTag,
      toTag: 'a1',
      headers: routeLines(routes),
    });
    const info = await phone.inbox.next();
    assert.match(info, /^INFO /);
    assert.match(headersOf(info, 'Via')[0]!, /SIP\/2.0\/TCP/);
    phone.send(responseText(info, 200));
    assert.equal(statusOf(await callee.until(/^SIP/)), 200);
    phone.socket.destroy();
    await phone.closed;
  });

  test('RFC 5626 §5.1: a caller that cannot be reached is, by its connection, or where its NAT lets it out', {
    skip: oursOnly,
  }, async () => {
    await start();
    const phone = await RawTcp.connect(engine.tcpPort);
    const via = 'SIP/2.0/TCP x7.invalid';
    const contact = 'sip:phone@x7.invalid;transport=tcp';
    phone.send(requestText({ method: 'INVITE', via, callId: 'by-tcp', headers: [`Contact: <${contact}>`] }));
    const overTcp = await callee.until(/^INVITE/);
    callee.request({
      method: 'INFO',
      uri: contact,
      callId: 'by-tcp',
      fromTag: 'b1',
      toTag: 'a1',
      headers: routeLines(headersOf(overTcp, 'Record-Route')),
    });
    let info = await phone.inbox.next();
    while (!info.startsWith('INFO')) info = await phone.inbox.next();
    assert.match(info, new RegExp(`^INFO ${contact} SIP`));
    await phone.close();
    callee.respond(overTcp, 486);
    await callee.until(/^ACK/);

    const natted = 'sip:phone@10.9.8.7:5060';
    caller.request({ callId: 'by-udp', contact: `<${natted}>` });
    const overUdp = await callee.until(/^INVITE/);
    callee.request({
      method: 'INFO',
      uri: natted,
      callId: 'by-udp',
      fromTag: 'b1',
      toTag: 'a1',
      headers: routeLines(headersOf(overUdp, 'Record-Route')),
    });
    assert.match(await caller.until(/^INFO/), new RegExp(`^INFO ${natted} SIP`));
    // What the caller itself sends that way is for the callee.
    caller.request({
      method: 'INFO',
      uri: callee.uri,
      callId: 'by-udp',
      toTag: 'b1',
      headers: routeLines(headersOf(overUdp, 'Record-Route')),
    });
    await callee.until(/^INFO/);
  });

  test('RFC 3261 §16.4: a strict router before us put our route into the Request-URI', {
    skip: oursOnly,
  }, async () => {
    await start();
    const call = await establish();
    const uri = /<(.*)>/.exec(call.callerRoutes[0]!)![1]!;
    const toTag = tagOf(headerOf(call.ok, 'To')!)!;
    const callId = headerOf(call.invite, 'Call-ID')!;
    caller.request({ method: 'INFO', cseq: 2, uri, callId, toTag, headers: [`Route: <${callee.uri}>`] });
    const info = await callee.until(/^INFO/);
    assert.match(info, new RegExp(`^INFO ${callee.uri} SIP`));
    assert.equal(headerOf(info, 'Route'), undefined);
  });

  test('RFC 3261 §16.6 item 6: the next route decides; a strict one becomes the Request-URI', {
    skip: oursOnly,
  }, async () => {
    await start();
    const call = await establish();
    const next = await TextPeer.open(engine.udpPort);
    const send = (route: string): string =>
      caller.inDialog(call.invite, call.ok, 'INFO', 2, routeLines([...call.callerRoutes, route]));
    send(`<sip:127.0.0.1:${next.port};lr>`);
    const loose = await next.until(/^INFO/);
    assert.match(loose, new RegExp(`^INFO ${callee.uri} SIP`));
    assert.deepEqual(headersOf(loose, 'Route'), [`<sip:127.0.0.1:${next.port};lr>`]);
    send(`<sip:strict@127.0.0.1:${next.port}>`);
    const strict = await next.until(/^INFO sip:strict/);
    assert.match(strict, new RegExp(`^INFO sip:strict@127.0.0.1:${next.port} SIP`));
    assert.deepEqual(headersOf(strict, 'Route'), [`<${callee.uri}>`]);
  });

  test('RFC 3261 §16.3 item 3: Max-Forwards 0 in a dialog is 483', { skip: oursOnly }, async () => {
    await start();
    const call = await establish();
    const text = caller.inDialog(call.invite, call.ok, 'INFO', 2, routeLines(call.callerRoutes));
    callee.respond(await callee.until(/^INFO/), 200);
    await caller.until(/ 200 /);
    caller.send(
      text.replace('Max-Forwards: 70', 'Max-Forwards: 0').replace(/branch=[^;\s]+/, 'branch=z9hG4bKnohop'),
    );
    assert.equal(statusOf(await caller.until(/^SIP/)), 483);
  });

  test('we are no relay: a route that is not ours for this call leads nowhere', {
    skip: oursOnly,
  }, async () => {
    await start();
    const call = await establish();
    await callee.until(/^ACK/);
    const victim = await TextPeer.open(engine.udpPort);
    const plain = `<sip:127.0.0.1:${engine.udpPort};lr>`;
    const changed = call.callerRoutes[0]!.replace(/tok=./, 'tok=9');
    for (const [callId, route] of [
      ['another-call', call.callerRoutes[0]!],
      [headerOf(call.invite, 'Call-ID')!, plain],
      [headerOf(call.invite, 'Call-ID')!, changed],
    ] as const) {
      caller.request({ method: 'BYE', uri: victim.uri, callId, toTag: 'x', headers: [`Route: ${route}`] });
      assert.equal(statusOf(await caller.until(/^SIP/)), 481);
    }
    assert.equal(victim.udp.inbox.size, 0);
  });

  test('a dialog lives through our restart: the admin secret makes the routes', {
    skip: oursOnly,
  }, async () => {
    await start();
    const call = await establish();
    const sipListen = [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] as const;
    const other = await startWireEngine({ timers: FAST_TIMERS, sipListen });
    try {
      const route = call.callerRoutes[0]!.replace(String(engine.udpPort), String(other.udpPort));
      const again = await TextPeer.open(other.udpPort);
      again.inDialog(call.invite, call.ok, 'BYE', 2, routeLines([route]));
      callee.udp.send(responseText(await callee.until(/^BYE/), 200), other.udpPort);
      assert.equal(statusOf(await again.until(/^SIP/)), 200);
    } finally {
      await other.close();
    }
  });

  test('RFC 5393 §4.2, §4.2.1, RFC 3261 §16.3 item 4: a loop is 482, a spiral is not', {
    skip: oursOnly,
  }, async () => {
    await start();
    disconnectApps();
    const ours = `sip:127.0.0.1:${engine.udpPort}`;
    app = await startProxyApp(engine, [ours]);
    caller.request({ uri: 'sip:bob@far.example', callId: 'loop' });
    const looped = await caller.until(/^SIP\/2.0 (?!1)/);
    assert.equal(statusOf(looped), 482);
    disconnectApps();
    // The second time the Request-URI is another one.
    const spiral = await startProxyApp(engine, [`sip:second@127.0.0.1:${engine.udpPort}`], {
      method: 'message',
    });
    let seen = 0;
    spiral.srf.invite((req: { uri: string; proxy: (options: object) => Promise<unknown> }) => {
      seen++;
      const destination = req.uri.includes('second')
        ? `sip:127.0.0.1:${callee.port}`
        : `sip:second@127.0.0.1:${engine.udpPort}`;
      void req.proxy({ destination });
    });
    await new Promise((resolve) =>
      spiral.srf.request(`sip:127.0.0.1:${engine.udpPort}`, { method: 'OPTIONS' }, resolve),
    );
    caller.request({ uri: `sip:first@127.0.0.1:${engine.udpPort}`, callId: 'spiral' });
    const copy = await callee.until(/^INVITE/);
    assert.equal(headersOf(copy, 'Via').length, 3);
    assert.equal(seen, 2);
    callee.respond(copy, 200);
    assert.equal(statusOf(await caller.until(/ 200 /)), 200);
  });
});

function routeLines(routes: readonly string[]): string[] {
  return routes.map((route) => `Route: ${route}`);
}
