import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { DnsServer, srv } from '../../support/dns-server.js';
import { freeUdpPort } from '../../support/free-port.js';
import type { Inbox } from '../../support/inbox.js';
import { startProxyApp } from '../../support/proxy-app.js';
import { RawTcp } from '../../support/raw-sockets.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, headersOf, requestText, responseText, statusOf } from '../../support/sip-text.js';
import { TextPeer, tagOf } from '../../support/text-peer.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';
import { WsPeer } from '../../support/ws-peer.js';

describe('ways of a proxied request', { skip: oursOnly }, () => {
  let engine: WireEngine;
  let dns: DnsServer;
  before(async () => {
    dns = await DnsServer.start();
    engine = await startWireEngine({
      timers: FAST_TIMERS,
      dnsServers: [dns.name],
      sipListen: (['udp', 'tcp', 'ws'] as const).map((protocol) => ({
        protocol,
        address: '127.0.0.1',
        port: 0,
      })),
    });
  });
  after(async () => {
    await engine.close();
    await dns.close();
  });
  afterEach(async () => {
    disconnectApps();
    await TextPeer.closeAll();
  });

  const until = async (inbox: Inbox<string>, start: RegExp): Promise<string> => {
    for (;;) {
      const text = await inbox.next();
      if (start.test(text)) return text;
    }
  };

  test('RFC 3263 §4.3: the next server of a destination’s name, when the first is dead', async () => {
    const callee = await TextPeer.open(engine.udpPort);
    const caller = await TextPeer.open(engine.udpPort);
    dns.zone = {
      '_sip._udp.next.test SRV': [
        srv(await freeUdpPort(), 'a.next.test', 0),
        srv(callee.port, 'b.next.test', 1),
      ],
      'a.next.test A': ['127.0.0.1'],
      'b.next.test A': ['127.0.0.1'],
    };
    const app = await startProxyApp(engine, ['sip:next.test'], { proxy: { remainInDialog: true } });
    caller.request();
    const copy = await callee.until(/^INVITE/);
    assert.equal(headersOf(copy, 'Via').length, 2);
    assert.equal(headersOf(copy, 'Record-Route').length, 1);
    callee.respond(copy, 200);
    assert.equal(statusOf(await caller.next()), 200);
    assert.equal((await app.first).connected, true);
  });

  test('a name that nobody knows is a destination that failed', async () => {
    const callee = await TextPeer.open(engine.udpPort);
    const caller = await TextPeer.open(engine.udpPort);
    await startProxyApp(engine, ['sip:nowhere.test', callee]);
    caller.request();
    callee.respond(await callee.until(/^INVITE/), 200);
    assert.equal(statusOf(await caller.next()), 200);
    disconnectApps();
    await startProxyApp(engine, ['sip:nowhere.test']);
    caller.request();
    assert.equal(statusOf(await caller.next()), 500);
  });

  test('RFC 7118 §5: two browsers call each other, and hang up, down the connections they opened', async () => {
    const url = `ws://127.0.0.1:${engine.wsPort}`;
    const [a, b] = [await WsPeer.connect(url), await WsPeer.connect(url)];
    const uriOf = (name: string): string => `sip:${name}@${name}.invalid;transport=ws`;
    const app = await startProxyApp(engine, [uriOf('bob')], { proxy: { remainInDialog: true } });
    app.srf.register((_req: Srf, res: Srf) => res.send(200));
    await new Promise((resolve) =>
      app.srf.request(`sip:127.0.0.1:${engine.udpPort}`, { method: 'OPTIONS' }, resolve),
    );
    const via = 'SIP/2.0/WS alice.invalid';
    const registration = {
      method: 'REGISTER',
      via: 'SIP/2.0/WS bob.invalid',
      headers: [`Contact: <${uriOf('bob')}>`, 'Expires: 60'],
    };
    b.send(requestText(registration));
    await until(b.inbox, / 200 /);
    const callId = 'browsers';
    a.send(requestText({ method: 'INVITE', via, callId, headers: [`Contact: <${uriOf('alice')}>`] }));
    const invite = await until(b.inbox, /^INVITE/);
    const routes = headersOf(invite, 'Record-Route');
    const lines = routes.map((value) => `Record-Route: ${value}`);
    b.send(responseText(invite, 200, { headers: [...lines, `Contact: <${uriOf('bob')}>`] }));
    const ok = await until(a.inbox, / 200 /);
    const toTag = tagOf(headerOf(ok, 'To')!)!;
    const back = headersOf(ok, 'Record-Route').reverse();
    const ofAlice = {
      via,
      callId,
      toTag,
      uri: uriOf('bob'),
      headers: back.map((value) => `Route: ${value}`),
    };
    a.send(requestText({ ...ofAlice, method: 'ACK' }));
    await until(b.inbox, /^ACK/);
    a.send(requestText({ ...ofAlice, method: 'INFO', cseq: 2 }));
    b.send(responseText(await until(b.inbox, /^INFO/), 200));
    await until(a.inbox, / 200 /);
    b.send(
      requestText({
        method: 'BYE',
        via: 'SIP/2.0/WS bob.invalid',
        callId,
        uri: uriOf('alice'),
        fromTag: toTag,
        toTag: 'a1',
        headers: routes.map((value) => `Route: ${value}`),
      }),
    );
    const bye = await until(a.inbox, /^BYE/);
    assert.equal(headerOf(bye, 'Route'), undefined);
    a.send(responseText(bye, 200));
    await until(b.inbox, / 200 /);
    await a.close();
    await b.close();
  });

  test('a phone whose REGISTER was proxied is reached down its connection', async () => {
    const registrar = await TextPeer.open(engine.udpPort);
    const caller = await TextPeer.open(engine.udpPort);
    const phone = await RawTcp.connect(engine.tcpPort);
    const contact = 'sip:carol@carol.invalid;transport=tcp';
    await startProxyApp(engine, [registrar], { method: 'register' });
    const headers = [`Contact: <${contact}>`, 'Expires: 60'];
    phone.send(requestText({ method: 'REGISTER', via: 'SIP/2.0/TCP carol.invalid', headers }));
    registrar.respond(await registrar.until(/^REGISTER/), 200);
    await until(phone.inbox, / 200 /);
    disconnectApps();
    await startProxyApp(engine, [contact]);
    caller.request({ uri: `sip:carol@127.0.0.1:${engine.udpPort}` });
    const invite = await until(phone.inbox, /^INVITE/);
    assert.match(invite, new RegExp(`^INVITE ${contact} SIP`));
    phone.send(responseText(invite, 486));
    assert.equal(statusOf(await caller.next()), 486);
    await phone.close();
  });
});
