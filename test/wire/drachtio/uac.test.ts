import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { RawTcp, RawTcpServer } from '../../support/raw-sockets.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, requestText, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer, tagOf } from '../../support/text-peer.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

describe('requests of applications', () => {
  let engine: WireEngine;
  let client: FrameClient;
  let peer: TextPeer;
  before(async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
  });
  after(() => engine.close());
  afterEach(async () => {
    disconnectApps();
    await FrameClient.closeAll();
    await TextPeer.closeAll();
  });

  const start = async (): Promise<void> => {
    client = await FrameClient.start(engine.target);
    peer = await TextPeer.open(engine.udpPort);
  };
  const send = (method: string, headers: readonly string[] = [], body = '', route = ''): Promise<Frame> =>
    client.ask(`sip||${route === '' ? '' : `|${route}`}`, appRequest(method, peer.uri, headers, body));
  const inDialog = (
    dialogId: string | undefined,
    method: string,
    headers: readonly string[] = [],
    body = '',
  ): Promise<Frame> => client.ask(`sip||${dialogId}`, appRequest(method, 'sip:placeholder', headers, body));
  const nok = (frame: Frame): string | undefined => (frame.fields[3] === 'NOK' ? frame.fields[4] : undefined);
  /** A call that the peer answered and the application acknowledged. */
  const establishedCall = async (
    answer: readonly string[] = [],
  ): Promise<{ invite: string; dialogId: string }> => {
    await send('INVITE', [], SDP);
    const invite = await peer.next();
    peer.respond(invite, 200, { headers: answer, body: SDP });
    const { fields } = await client.events.next();
    await inDialog(fields[9], 'ACK');
    await peer.until(/^ACK/);
    return { invite, dialogId: fields[9]! };
  };

  test('36: the echo comes before any response, 10,000 times', { timeout: 60_000 }, async () => {
    await start();
    peer.udp.onMessage = (request) => peer.respond(request, 200);
    const text = appRequest('OPTIONS', peer.uri);
    for (let sent = 0; sent < 10_000; sent += 20) {
      for (let i = 0; i < 20; i++) client.send('sip||', text);
      for (let i = 0; i < 20; i++) await client.events.next();
    }
    const echoed = new Set<string>();
    for (const fields of client.leaders) {
      if (fields[1] === 'response') echoed.add(fields[10]!);
      else assert.ok(echoed.delete(fields[8]!), `response before echo of ${fields[8]}`);
    }
  });

  test('37: RFC 3261 §8.1.1, RFC 4566 §5.1: a bare INVITE leaves with all it must have', async () => {
    await start();
    const echo = await send('INVITE', [], SDP);
    assert.equal(echo.fields.length, 13);
    assert.deepEqual(
      [echo.fields[3], echo.fields[4], echo.fields[6], echo.fields[7], echo.fields[8]],
      ['OK', 'application', 'udp', '127.0.0.1', String(engine.udpPort)],
    );
    assert.deepEqual(echo.fields.slice(11), ['Msg sent:', '']);
    const invite = await peer.next();
    assert.equal(echo.sip, invite);
    assert.equal(Number(echo.fields[5]), invite.length);
    assert.match(
      headerOf(invite, 'Via')!,
      new RegExp(`^SIP/2.0/UDP 127.0.0.1:${engine.udpPort};.*branch=z9hG4bK`),
    );
    assert.match(headerOf(invite, 'Via')!, /;rport/);
    assert.equal(headerOf(invite, 'Max-Forwards'), '70');
    assert.ok(tagOf(headerOf(invite, 'From')!));
    assert.equal(headerOf(invite, 'To'), `<${peer.uri}>`);
    assert.match(headerOf(invite, 'CSeq')!, /^\d+ INVITE$/);
    assert.ok(headerOf(invite, 'Call-ID'));
    assert.equal(headerOf(invite, 'Contact'), `<sip:127.0.0.1:${engine.udpPort}>`);
    assert.equal(headerOf(invite, 'Content-Type'), 'application/sdp');
    assert.equal(headerOf(invite, 'Content-Length'), String(SDP.length));
    assert.doesNotMatch(invite, /User-Agent|Server|Allow|Supported|Date/);
    peer.respond(invite, 486);
  });

  test('RFC 3261 §8.1.1.7, §8.1.1.4, §19.3: no two requests share branch, Call-ID or From tag', async () => {
    await start();
    const seen = new Set<string>();
    let text = '';
    for (let count = 0; count < 50; count++) {
      await send('OPTIONS');
      const last = text;
      // A slow machine lets the engine repeat the one before.
      while (text === last) text = await peer.next();
      const branch = /branch=([^;\r]+)/.exec(text)?.[1] ?? '';
      assert.match(branch, /^z9hG4bK.{8,}/);
      const tag = tagOf(headerOf(text, 'From')!) ?? '';
      // 32 bits at least, of an alphabet of 32.
      assert.ok(tag.length >= 7, tag);
      for (const name of [branch, tag, headerOf(text, 'Call-ID')!]) seen.add(name);
      peer.respond(text, 200);
      await client.events.next();
    }
    assert.equal(seen.size, 150);
  });

  test('38: localhost becomes our address in From, Contact and P-Asserted-Identity alone', async () => {
    await start();
    await send('INVITE', [
      'from: sip:1234@localhost',
      'contact: sip:1234@localhost',
      'P-Asserted-Identity: <sip:x@localhost>',
      'remote-party-id: <sip:x@localhost>',
    ]);
    const invite = await peer.next();
    const ours = `127.0.0.1:${engine.udpPort}`;
    assert.match(headerOf(invite, 'From')!, new RegExp(`^<sip:1234@${ours}>;tag=`));
    assert.equal(headerOf(invite, 'Contact'), `<sip:1234@${ours}>`);
    assert.equal(headerOf(invite, 'P-Asserted-Identity'), `<sip:x@${ours}>`);
    assert.equal(headerOf(invite, 'Remote-Party-ID'), '<sip:x@localhost>');
    peer.respond(invite, 486);
  });

  test('39: an IPv4 Contact that is not ours is replaced, a name is kept', async () => {
    await start();
    const cases = [
      ['<sip:me@10.1.1.1:7000;foo=bar>', `<sip:me@127.0.0.1:${engine.udpPort};foo=bar;transport=udp>`],
      ['<sip:me@host.example>', '<sip:me@host.example>'],
    ];
    for (const [given, expected] of cases) {
      await send('INVITE', [`contact: ${given}`]);
      const invite = await peer.until(/^INVITE/);
      assert.equal(headerOf(invite, 'Contact'), expected);
      peer.respond(invite, 486);
      await peer.until(/^ACK/);
    }
  });

  test('34, 40: what an application may not set is dropped, names are spelt as they should be', async () => {
    await start();
    const headers = [
      'foo-bar: x',
      'X-myHeader: y',
      'cseq: 77 MESSAGE',
      'via: evil',
      'route: <sip:evil>',
      'record-route: <sip:evil>',
      'rseq: 5',
      'bad name: evil',
      'evil',
    ];
    await send('MESSAGE', headers);
    const message = await peer.next();
    assert.match(message, /\r\nFoo-Bar: x\r\n/);
    assert.match(message, /\r\nX-myHeader: y\r\n/);
    assert.match(message, /\r\nCSeq: 77 MESSAGE\r\n/);
    assert.doesNotMatch(message, /evil|RSeq/);
    peer.respond(message, 200);
    const { fields } = await client.events.next();
    assert.equal(fields[9], '');
  });

  test('41: a route of the application decides the next hop and nothing else', async () => {
    await start();
    const uri = 'sip:bob@203.0.113.9';
    await client.ask(`sip|||sip:127.0.0.1:${peer.port}`, appRequest('OPTIONS', uri));
    const options = await peer.next();
    assert.match(options, /^OPTIONS sip:bob@203\.0\.113\.9 SIP/);
    assert.equal(headerOf(options, 'Route'), undefined);
    peer.respond(options, 200);
  });

  test('42: requests that cannot be sent are refused, the connection stays', async () => {
    await start();
    const refusal = async (
      uri: string,
      headers: readonly string[] = [],
      body = '',
    ): Promise<string | undefined> =>
      nok(await client.ask('sip||', appRequest('MESSAGE', uri, headers, body)));
    assert.equal(await refusal(`sip:me@127.0.0.1:${engine.udpPort}`), 'can not send request to myself');
    assert.match((await refusal('bob'))!, /^invalid request-uri: MESSAGE bob/);
    assert.equal(
      await refusal('sip:127.0.0.1:9;transport=tls'),
      'requested protocol/transport not available',
    );
    assert.equal(await refusal(peer.uri, [], 'hello'), 'missing content-type');
    if (!oursOnly) assert.match((await refusal('tel:+1555'))!, /^invalid request-uri/);
    assert.equal((await client.ask('ping')).fields[4], 'pong');
  });

  test('43: RFC 3261 §17.1.1.2: an INVITE without answer ends with 408', { skip: oursOnly }, async () => {
    await start();
    const echo = await send('INVITE');
    const { fields, sip } = await client.events.next();
    assert.equal(statusOf(sip), 408);
    assert.equal(fields[8], echo.fields[10]);
    assert.deepEqual([fields[2], fields[3], fields[5], fields[6]], ['network', '0', '', '0']);
    assert.ok(tagOf(headerOf(sip, 'To')!));
    assert.equal(peer.udp.inbox.size, 7);
  });

  test('44: RFC 3261 §8.1.3.1, RFC 3263 §4.3: refused connections and unknown names are 503, after the echo', {
    skip: oursOnly,
  }, async () => {
    await start();
    const closed = await RawTcpServer.listen();
    const { port } = closed;
    await closed.close();
    for (const [uri, reason] of [
      [`sip:127.0.0.1:${port};transport=tcp`, 'Service Unavailable'],
      ['sip:no-such-host.invalid', 'DNS Error'],
    ] as const) {
      const id = client.send('sip||', appRequest('OPTIONS', uri));
      const { fields, sip } = await client.events.next();
      const echo = await client.answersTo(id).next();
      assert.equal(echo.fields[3], 'OK');
      assert.equal(echo.fields[10], fields[8]);
      assert.match(sip, new RegExp(`^SIP/2.0 503 ${reason}`));
      assert.equal(fields[6], '0');
    }
  });

  test('45: RFC 3261 §13.2.2.4: provisionals and 200 come once each, a repeated 200 is ACKed by the engine', async () => {
    await start();
    await send('INVITE', [], SDP);
    const invite = await peer.next();
    for (const status of oursOnly ? [100, 180, 183] : [100, 180, 180, 183]) peer.respond(invite, status);
    peer.respond(invite, 200, { body: SDP });
    const seen: Frame[] = [];
    for (let i = 0; i < 3; i++) seen.push(await client.events.next());
    assert.deepEqual(
      seen.map(({ sip }) => statusOf(sip)),
      [180, 183, 200],
    );
    assert.equal(new Set(seen.map(({ fields }) => fields[9])).size, 1);
    await inDialog(seen[2]!.fields[9], 'ACK');
    const ack = await peer.until(/^ACK/);
    assert.equal(headerOf(ack, 'CSeq'), headerOf(invite, 'CSeq')!.replace('INVITE', 'ACK'));
    peer.respond(invite, 200, { body: SDP });
    assert.equal(await peer.until(/^ACK/), ack);
    assert.equal(client.events.size, 0);
  });

  test('46: RFC 3261 §17.1.1.3: 486 is ACKed without the application, whose ACK is refused', async () => {
    await start();
    await send('INVITE');
    const invite = await peer.next();
    peer.respond(invite, 486);
    const { fields } = await client.events.next();
    const ack = await peer.until(/^ACK/);
    assert.equal(headerOf(ack, 'Via'), headerOf(invite, 'Via'));
    assert.match(nok(await inDialog(fields[9], 'ACK'))!, /automatically generated/);
    await assert.rejects(peer.next(150));
  });

  test('47: RFC 3261 §13.2.2.4: the ACK of a late offer carries its body and the credentials of the INVITE', async () => {
    await start();
    await send('INVITE', ['proxy-authorization: Digest a="b"']);
    const invite = await peer.next();
    peer.respond(invite, 200, { body: SDP });
    const { fields } = await client.events.next();
    await assert.rejects(peer.next(20));
    await inDialog(fields[9], 'ACK', [], SDP);
    const ack = await peer.until(/^ACK/);
    assert.equal(ack.slice(ack.indexOf('\r\n\r\n') + 4), SDP);
    assert.equal(headerOf(ack, 'Content-Type'), 'application/sdp');
    if (!oursOnly) assert.equal(headerOf(ack, 'Proxy-Authorization'), 'Digest a="b"');
  });

  test('48: RFC 3262 §4: PRACK goes out in the early dialog, its 200 comes back', async () => {
    await start();
    await send('INVITE');
    const invite = await peer.next();
    peer.respond(invite, 183, { headers: ['Require: 100rel', 'RSeq: 42'] });
    const { fields } = await client.events.next();
    const seq = Number.parseInt(headerOf(invite, 'CSeq')!, 10);
    const echo = await inDialog(fields[9], 'PRACK', [`RAck: 42 ${seq} INVITE`]);
    const prack = await peer.next();
    assert.match(prack, new RegExp(`^PRACK ${peer.uri} SIP`));
    assert.equal(headerOf(prack, 'RAck'), `42 ${seq} INVITE`);
    assert.equal(headerOf(prack, 'CSeq'), `${seq + 1} PRACK`);
    peer.respond(prack, 200);
    assert.equal((await client.events.next()).fields[8], echo.fields[10]);
    peer.respond(invite, 200);
    assert.equal(statusOf((await client.events.next()).sip), 200);
  });

  test('49: RFC 3261 §9.1: CANCEL leaves at once after 180, else with the first provisional', async () => {
    await start();
    for (const isEarly of [false, true]) {
      const echo = await send('INVITE');
      const invite = await peer.until(/^INVITE/);
      if (isEarly) peer.respond(invite, 180);
      if (isEarly) await client.events.next();
      const answer = await client.ask(
        `sip|${echo.fields[10]}|`,
        appRequest('CANCEL', peer.uri, ['Reason: SIP;cause=200', 'from: x', 'X-Why: y']),
      );
      assert.equal(answer.fields[3], 'OK');
      if (!isEarly) {
        await assert.rejects(peer.until(/^CANCEL/, 15));
        peer.respond(invite, 183);
      }
      const cancel = await peer.until(/^CANCEL/);
      assert.equal(headerOf(cancel, 'Via'), headerOf(invite, 'Via'));
      assert.equal(headerOf(cancel, 'From'), headerOf(invite, 'From'));
      assert.equal(headerOf(cancel, 'CSeq'), headerOf(invite, 'CSeq')!.replace('INVITE', 'CANCEL'));
      assert.equal(headerOf(cancel, 'Reason'), 'SIP;cause=200');
      assert.equal(headerOf(cancel, 'X-Why'), 'y');
      peer.respond(cancel, 200);
      peer.respond(invite, 487);
      let status: number | undefined;
      while (status !== 487) status = statusOf((await client.events.next()).sip);
      await peer.until(/^ACK/);
    }
    assert.equal(
      nok(await client.ask('sip|nobody|', appRequest('CANCEL', peer.uri))),
      'unable to cancel unknown transaction id: nobody',
    );
  });

  test('50: RFC 3261 §9.1: a 200 that crosses CANCEL is acknowledged and the call ended, the application told', async () => {
    await start();
    const echo = await send('INVITE');
    const invite = await peer.next();
    peer.respond(invite, 180);
    await client.events.next();
    await client.ask(`sip|${echo.fields[10]}|`, appRequest('CANCEL', peer.uri));
    await peer.until(/^CANCEL/);
    peer.respond(invite, 200);
    const { fields } = await client.events.next();
    await inDialog(fields[9], 'ACK');
    await peer.until(/^ACK/);
    const bye = await peer.until(/^BYE/);
    assert.match(headerOf(bye, 'Reason')!, /ACK-BYE due to cancel race condition/);
    const told = await client.events.next();
    assert.deepEqual(
      [told.fields[2], told.fields[8], told.fields[9]],
      ['application', 'unsolicited', fields[9]],
    );
    peer.respond(bye, 200);
  });

  test('51: RFC 3261 §22.2, §8.1.1.5: a challenged INVITE goes again under its old name, later requests count on from it', async () => {
    await start();
    await send('INVITE');
    const first = await peer.next();
    peer.respond(first, 407, { headers: ['Proxy-Authenticate: Digest realm="x", nonce="n"'] });
    const challenge = await client.events.next();
    await peer.until(/^ACK/);
    const kept = [`call-id: ${headerOf(first, 'Call-ID')}`, `from: ${headerOf(first, 'From')}`];
    const seq = Number.parseInt(headerOf(first, 'CSeq')!, 10);
    await send('INVITE', [...kept, `cseq: ${seq + 1} INVITE`, 'proxy-authorization: Digest x="y"'], SDP);
    const second = await peer.next();
    assert.equal(headerOf(second, 'CSeq'), `${seq + 1} INVITE`);
    peer.respond(second, 200, { body: SDP });
    const { fields } = await client.events.next();
    assert.equal(fields[9], challenge.fields[9]);
    await inDialog(fields[9], 'ACK');
    await peer.until(/^ACK/);
    await inDialog(fields[9], 'INFO');
    assert.equal(headerOf(await peer.next(), 'CSeq'), `${seq + 2} INFO`);
  });

  test('55: RFC 3261 §12.1.2: a route set is reversed, the top route is the next hop', async () => {
    await start();
    const top = `<sip:127.0.0.1:${peer.port};lr>`;
    const { dialogId } = await establishedCall([
      `Record-Route: <sip:far.example;lr>`,
      `Record-Route: ${top}`,
    ]);
    await inDialog(dialogId, 'BYE');
    const bye = await peer.until(/^BYE/);
    assert.deepEqual(bye.match(/^Route: .*$/gm), [`Route: ${top}`, 'Route: <sip:far.example;lr>']);
    assert.match(bye, new RegExp(`^BYE ${peer.uri} SIP`));
    peer.respond(bye, 200);
  });

  test('56: a Contact that is elsewhere: requests go back to where the 200 came from', async () => {
    await start();
    await send('INVITE');
    const invite = await peer.next();
    peer.send(
      `${invite
        .replace(/^INVITE.*\r\n/, 'SIP/2.0 200 OK\r\n')
        .replace(/^(To: .*)$/m, '$1;tag=b')
        .replace(/^Contact: .*$/m, 'Contact: <sip:bob@192.0.2.7:5999>')}`,
    );
    const { fields } = await client.events.next();
    await inDialog(fields[9], 'ACK');
    assert.match(await peer.next(), /^ACK sip:bob@192\.0\.2\.7:5999 SIP/);
  });

  test('58: RFC 3261 §14.1: a re-INVITE counts on; a provisional to it does not lose its 200', {
    skip: oursOnly,
  }, async () => {
    await start();
    const { invite, dialogId } = await establishedCall();
    await inDialog(dialogId, 'INVITE', [], SDP);
    const again = await peer.next();
    assert.equal(
      Number.parseInt(headerOf(again, 'CSeq')!, 10),
      Number.parseInt(headerOf(invite, 'CSeq')!, 10) + 1,
    );
    assert.equal(headerOf(again, 'Contact'), headerOf(invite, 'Contact'));
    assert.equal(headerOf(again, 'From'), headerOf(invite, 'From'));
    assert.equal(tagOf(headerOf(again, 'To')!), 'b1');
    peer.respond(again, 180);
    assert.equal(statusOf((await client.events.next()).sip), 180);
    peer.respond(again, 200, { headers: ['Contact: <sip:moved@127.0.0.1>'], body: SDP });
    assert.equal(statusOf((await client.events.next()).sip), 200);
    await inDialog(dialogId, 'ACK');
    const ack = await peer.until(/^ACK/);
    assert.equal(headerOf(ack, 'CSeq'), headerOf(again, 'CSeq')!.replace('INVITE', 'ACK'));
    peer.respond(again, 200, { body: SDP });
    assert.equal(await peer.until(/^ACK/), ack);
  });

  test('60: requests in both directions of a call', async () => {
    await start();
    const { invite, dialogId } = await establishedCall();
    for (const method of ['INFO', 'MESSAGE', 'OPTIONS', 'NOTIFY', 'REFER', 'UPDATE']) {
      const echo = await inDialog(dialogId, method, ['Event: x']);
      const request = await peer.next();
      assert.match(request, new RegExp(`^${method} ${peer.uri}`));
      peer.respond(request, 202);
      const { fields } = await client.events.next();
      assert.deepEqual([fields[8], fields[9]], [echo.fields[10], dialogId]);
    }
    const fromTag = 'b1';
    const toTag = tagOf(headerOf(invite, 'From')!)!;
    let cseq = 1;
    for (const method of ['INFO', 'MESSAGE', 'OPTIONS', 'NOTIFY', 'REFER', 'UPDATE', 'INVITE', 'BYE']) {
      peer.request({ method, fromTag, toTag, callId: headerOf(invite, 'Call-ID')!, cseq: cseq++ });
      const { fields, sip } = await client.events.next();
      assert.match(sip, new RegExp(`^${method} `));
      assert.equal(fields[9], dialogId);
    }
    assert.equal(
      nok(await inDialog('nothing', 'INFO')),
      'Server error: unable to find dialog for dialog id provided',
    );
  });

  test('63: RFC 3261 §15.1.1: BYE ends the dialog with any answer but a challenge', async () => {
    await start();
    const { dialogId } = await establishedCall();
    await inDialog(dialogId, 'BYE');
    peer.respond(await peer.next(), 401, { headers: ['WWW-Authenticate: Digest realm="x", nonce="n"'] });
    await client.events.next();
    await inDialog(dialogId, 'BYE', ['authorization: Digest x="y"']);
    const bye = await peer.next();
    peer.respond(bye, 481);
    await client.events.next();
    assert.match(nok(await inDialog(dialogId, 'INFO'))!, /unable to find dialog/);
  });

  test('63: BYE while our re-INVITE is open settles it with 487', { skip: oursOnly }, async () => {
    await start();
    const { dialogId } = await establishedCall();
    const again = await inDialog(dialogId, 'INVITE', [], SDP);
    const invite = await peer.next();
    const bye = await inDialog(dialogId, 'BYE');
    const settled = await client.events.next();
    assert.deepEqual([settled.fields[8], statusOf(settled.sip)], [again.fields[10], 487]);
    peer.respond(await peer.until(/^BYE/), 200);
    assert.equal((await client.events.next()).fields[8], bye.fields[10]);
    // A late 200 is acknowledged all the same, or the peer would repeat it.
    peer.respond(invite, 200);
    await peer.until(/^ACK/);
  });

  test('65: RFC 3261 §12.2.1.2, RFC 3311 §5.1: the Contact of a 200 to a re-INVITE or UPDATE is the new target', {
    skip: oursOnly,
  }, async () => {
    await start();
    const { dialogId } = await establishedCall();
    const moveTo = async (user: string): Promise<void> => {
      const again = await peer.next();
      peer.send(
        `SIP/2.0 200 OK\r\n${['Via', 'From', 'To', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(again, name)}`).join('\r\n')}\r\nContact: <sip:${user}@127.0.0.1:${peer.port}>\r\nContent-Length: 0\r\n\r\n`,
      );
      await client.events.next();
    };
    await inDialog(dialogId, 'INVITE', [], SDP);
    await moveTo('new');
    await inDialog(dialogId, 'ACK');
    assert.match(await peer.until(/^ACK/), /^ACK sip:new@/);
    await inDialog(dialogId, 'UPDATE');
    await moveTo('newer');
    await inDialog(dialogId, 'INFO');
    assert.match(await peer.until(/^INFO/), /^INFO sip:newer@/);
  });

  test('RFC 3261 §13.2.2.4: a 200 of another fork is acknowledged and ended, the application hears one', {
    skip: oursOnly,
  }, async () => {
    await start();
    await send('INVITE');
    const invite = await peer.next();
    peer.respond(invite, 200, { toTag: 'one' });
    peer.respond(invite, 200, { toTag: 'two' });
    await client.events.next();
    const extra = [await peer.until(/^ACK/), await peer.until(/^BYE/)];
    assert.deepEqual(
      extra.map((text) => tagOf(headerOf(text, 'To')!)),
      ['two', 'two'],
    );
    assert.equal(client.events.size, 0);
  });

  test('57: RFC 3261 §18.1.1: a call over TCP keeps to its connection', async () => {
    await start();
    const server = await RawTcpServer.listen();
    try {
      const uri = `sip:bob@127.0.0.1:${server.port};transport=tcp`;
      await client.ask('sip||', appRequest('INVITE', uri, [], SDP));
      const connection = await server.connections.next();
      const invite = await connection.inbox.next();
      assert.match(headerOf(invite, 'Contact')!, /;transport=tcp>/);
      const copied = ['Via', 'From', 'Call-ID', 'CSeq'].map((name) => `${name}: ${headerOf(invite, name)}`);
      connection.send(
        `${['SIP/2.0 200 OK', ...copied, `To: ${headerOf(invite, 'To')};tag=b`, 'Contact: <sip:bob@192.0.2.1>', 'Content-Length: 0', '', ''].join('\r\n')}`,
      );
      const { fields } = await client.events.next();
      assert.equal(fields[4], 'tcp');
      await inDialog(fields[9], 'ACK');
      assert.match(await connection.inbox.next(), /^ACK sip:bob@192\.0\.2\.1 /);
      await inDialog(fields[9], 'BYE');
      assert.match(await connection.inbox.next(), /^BYE /);
      assert.equal(server.accepted, 1);
    } finally {
      await server.close();
    }
  });

  test('78: a Contact that registered over a connection is reached by it, until it unregisters', {
    skip: oursOnly,
  }, async () => {
    await start();
    await client.ask('route|register');
    const phone = await RawTcp.connect(engine.tcpPort);
    const contact = 'sip:web@abc.invalid;transport=tcp';
    const register = async (expires: number): Promise<void> => {
      phone.send(
        requestText({
          method: 'REGISTER',
          via: 'SIP/2.0/TCP abc.invalid',
          headers: [`Contact: <${contact}>;expires=${expires}`],
        }),
      );
      const { fields, sip } = await client.events.next();
      assert.equal(fields[4], 'tcp');
      await client.ask(`sip|${fields[8]}|`, appResponse(sip, 200));
      assert.equal(statusOf(await phone.inbox.next()), 200);
    };
    try {
      await register(60);
      await client.ask('sip||', appRequest('OPTIONS', contact));
      assert.match(await phone.inbox.next(), /^OPTIONS sip:web@abc\.invalid/);
      await register(0);
      await client.ask('sip||', appRequest('MESSAGE', contact));
      assert.match((await client.events.next(8000)).sip, /^SIP\/2\.0 503 DNS Error/);
    } finally {
      await phone.close();
    }
  });

  test('69: proxying is refused until it is there', { skip: oursOnly }, async () => {
    await start();
    const { fields } = await client.ask(
      'proxy|x||fullResponse||serial|||sip:127.0.0.1',
      appRequest('INVITE', 'sip:127.0.0.1'),
    );
    assert.equal(fields[3], 'NOK');
  });
});

describe('drachtio-srf over the engine', () => {
  let engine: WireEngine;
  let peer: TextPeer;
  let srf: Srf;
  before(async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
    peer = await TextPeer.open(engine.udpPort);
    srf = await connectApp(engine.target);
  });
  after(async () => {
    disconnectApps();
    await TextPeer.closeAll();
    await engine.close();
  });

  test('51: its digest client answers a challenge', async () => {
    const call = srf.createUAC(peer.uri, { localSdp: SDP, auth: { username: 'u', password: 'p' } });
    const first = await peer.next();
    peer.respond(first, 401, {
      headers: ['WWW-Authenticate: Digest realm="x", nonce="n", algorithm=MD5, qop="auth"'],
    });
    await peer.until(/^ACK/);
    const second = await peer.until(/^INVITE/);
    assert.match(headerOf(second, 'Authorization')!, /^Digest .*username="u"/);
    peer.respond(second, 200, { body: SDP });
    const dialog = await call;
    await peer.until(/^ACK/);
    const gone = dialog.destroy();
    peer.respond(await peer.until(/^BYE/), 200);
    await gone;
  });

  test('43, 46, 49: its promises are rejected with the status', async () => {
    const busy = srf.createUAC(peer.uri, { localSdp: SDP });
    peer.respond(await peer.until(/^INVITE/), 486);
    await assert.rejects(busy, { status: 486 });
    await peer.until(/^ACK/);
    if (oursOnly) return;
    await assert.rejects(srf.createUAC(peer.uri, { localSdp: SDP }), { status: 408 });
  });

  test('58, 63, 66: modify, destroy and a BYE right behind the ACK', async () => {
    const incoming = new Promise<Srf>((resolve) =>
      srf.invite((req: Srf, res: Srf) => resolve(srf.createUAS(req, res, { localSdp: SDP }))),
    );
    const status503 = async (): Promise<[string, string]> => {
      for (;;) {
        const invite = peer.request({ headers: ['Content-Type: application/sdp'], body: SDP });
        const response = await peer.until(/ (200|503) /);
        if (statusOf(response) === 200) return [invite, response];
        peer.acknowledge(invite, response);
      }
    };
    const [invite, ok] = await status503();
    const dialog = await incoming;
    const destroyed = new Promise<void>((resolve) => dialog.on('destroy', () => resolve()));
    peer.inDialog(invite, ok, 'ACK', 1);
    peer.inDialog(invite, ok, 'BYE', 2);
    await destroyed;
    assert.equal(headerOf(await peer.until(/ 200 /), 'CSeq'), '2 BYE');
  });
});
