import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer, tagOf } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

const VERBS = ['invite', 'register', 'options', 'subscribe', 'message', 'info'];
const NO_TRANSACTION = 'Response not sent due to unknown transaction';

describe('requests of peers', () => {
  let engine: WireEngine;
  let client: FrameClient;
  let peer: TextPeer;
  before(async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
  });
  after(() => engine.close());
  afterEach(async () => {
    await FrameClient.closeAll();
    await TextPeer.closeAll();
  });

  const start = async (verbs: readonly string[] = VERBS): Promise<void> => {
    client = await FrameClient.start(engine.target, verbs);
    peer = await TextPeer.open(engine.udpPort);
  };
  const respond = (
    frame: Frame,
    status: number,
    headers: readonly string[] = [],
    body = '',
  ): Promise<Frame> => client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, status, headers, body));
  const isDialog = async (dialogId: string | undefined): Promise<boolean> => {
    const { fields } = await client.ask(`sip||${dialogId}`, 'INFO sip:placeholder SIP/2.0\r\n\r\n');
    return fields[3] === 'OK';
  };
  /** A call that the application answered, and whose ACK it has seen. */
  const answeredCall = async (): Promise<{ invite: string; ok: string; frame: Frame; dialogId: string }> => {
    const invite = peer.request({ headers: ['Content-Type: application/sdp'], body: SDP });
    const frame = await client.events.next();
    const echo = await respond(frame, 200, [], SDP);
    const ok = await peer.until(/ 200 /);
    peer.inDialog(invite, ok, 'ACK', 1);
    await client.events.next();
    return { invite, ok, frame, dialogId: echo.fields[11]! };
  };

  test('11: without an application INVITE gets 100 and 503, others 503 alone', async () => {
    await start([]);
    for (const method of [
      'INVITE',
      'REGISTER',
      'MESSAGE',
      'OPTIONS',
      'INFO',
      'NOTIFY',
      'SUBSCRIBE',
      'PUBLISH',
    ]) {
      peer.request({ method });
      if (method === 'INVITE') {
        const trying = await peer.udp.inbox.next();
        assert.equal(statusOf(trying), 100);
        assert.equal(tagOf(headerOf(trying, 'To')!), undefined);
      }
      assert.equal(statusOf(await peer.until(/^SIP\/2.0/)), 503, method);
    }
  });

  test('12: RFC 3261 §12.2.2: what belongs to no dialog or transaction gets 481, an ACK nothing', async () => {
    await start();
    for (const [method, toTag] of [
      ['BYE', 'x'],
      ['UPDATE', 'x'],
      ['INVITE', 'x'],
      ['CANCEL', undefined],
      // Another engine dies of it.
      ...(oursOnly ? [] : ([['PRACK', 'x']] as const)),
    ] as const) {
      peer.request({ method, ...(toTag === undefined ? {} : { toTag }) });
      assert.match(await peer.next(), /^SIP\/2\.0 481 Call\/Transaction Does Not Exist\r\n/, method);
    }
    peer.request({ method: 'ACK', toTag: 'x' });
    peer.request({ method: 'OPTIONS', callId: 'after-ack' });
    const { sip } = await client.events.next();
    assert.match(sip, /Call-ID: after-ack/);
  });

  test('12: RFC 3261 §8.2.1: a method that no application takes gets 405 with Allow', {
    skip: oursOnly,
  }, async () => {
    await start();
    peer.request({ method: 'REFER' });
    const response = await peer.next();
    assert.equal(statusOf(response), 405);
    assert.match(headerOf(response, 'Allow')!, /INVITE/);
  });

  test('13, 14: RFC 3261 §8.2.6.1: an INVITE gets 100 from the engine, its frame has all fields', async () => {
    await start();
    const text = peer.request({ headers: ['X-Odd:  two  spaces'] });
    assert.equal(statusOf(await peer.udp.inbox.next()), 100);
    const { fields, sip } = await client.events.next();
    assert.equal(fields.length, 13);
    assert.deepEqual(
      [fields[1], fields[2], fields[4], fields[5], fields[6]],
      ['sip', 'network', 'udp', '127.0.0.1', String(peer.port)],
    );
    assert.equal(Number(fields[3]), text.length);
    assert.match(fields[7]!, /^\d\d:\d\d:\d\d\.\d{6}$/);
    assert.notEqual(fields[8], '');
    assert.deepEqual(fields.slice(9), ['', '127.0.0.1', String(engine.udpPort), '']);
    assert.match(sip, /^INVITE /);
  });

  test('15: RFC 3581: the response goes to the source port, rport and received are filled in', async () => {
    await start();
    peer.request({ method: 'OPTIONS', via: 'SIP/2.0/UDP other.example:5999' });
    const frame = await client.events.next();
    assert.match(headerOf(frame.sip, 'Via')!, new RegExp(`;rport=${peer.port}`));
    await respond(frame, 200);
    const via = headerOf(await peer.next(), 'Via')!;
    assert.match(via, new RegExp(`;rport=${peer.port}`));
    assert.match(via, /;received=127\.0\.0\.1/);
  });

  test('16: order, spelling, folding and unknown fields reach the application unchanged', async () => {
    await start();
    const lines = ['x-oDd-NAME :  a', 'Subject: one', '\ttwo', 's2: x', 'k: timer', 'User-Agent: A, B'];
    const text = peer.request({ method: 'OPTIONS', headers: lines });
    const { sip } = await client.events.next();
    const rest = (message: string): string => message.slice(message.indexOf('Max-Forwards'));
    assert.equal(rest(sip), rest(text));
  });

  test('RFC 3327 §5.1: routes are an application’s to give: a peer’s X-Preloaded-Route reaches nobody', {
    skip: oursOnly,
  }, async () => {
    await start([...VERBS, 'cdr:attempt']);
    const route = '<sip:evil.example;lr>';
    const headers = [
      `x-PRELOADED-route : ${route},`,
      `\t${route}`,
      'X-Odd: a',
      `X-Preloaded-Route: ${route}`,
    ];
    for (const method of ['INVITE', 'MESSAGE']) {
      peer.request({ method, headers, body: SDP });
      const { fields, sip } = await client.events.next();
      assert.doesNotMatch(sip, /preloaded|evil/i);
      assert.equal(headerOf(sip, 'X-Odd'), 'a');
      assert.match(headerOf(sip, 'Via')!, new RegExp(`;rport=${peer.port}`));
      assert.ok(sip.endsWith(`Content-Length: ${SDP.length}\r\n\r\n${SDP}`));
      assert.equal(fields[1], 'sip');
      if (method === 'INVITE') assert.doesNotMatch((await client.events.next()).sip, /preloaded|evil/i);
    }
  });

  test('17: a repeated request is delivered once, the last response repeated', async () => {
    await start();
    const register = peer.request({ method: 'REGISTER', headers: ['Contact: <sip:a@127.0.0.1>'] });
    const frame = await client.events.next();
    peer.send(register);
    await respond(frame, 200);
    await peer.next();
    peer.send(register);
    assert.equal(statusOf(await peer.next()), 200);
    const invite = peer.request();
    await client.events.next();
    await peer.udp.inbox.next();
    peer.send(invite);
    if (!oursOnly) assert.equal(statusOf(await peer.udp.inbox.next()), 100);
    assert.equal(client.events.size, 0);
  });

  test('35: RFC 3261 §8.2.2.2: a merged request gets 482', { skip: oursOnly }, async () => {
    await start();
    const invite = peer.request();
    await client.events.next();
    peer.send(invite.replace(/branch=z9hG4bK/, 'branch=z9hG4bKother'));
    assert.equal(statusOf(await peer.next()), 482);
    assert.equal(client.events.size, 0);
  });

  test('19: an INVITE that the application never answers ends after 128*T1', { skip: oursOnly }, async () => {
    await start();
    peer.request();
    const frame = await client.events.next();
    assert.equal(statusOf(await peer.next(4000)), 480);
    assert.deepEqual((await respond(frame, 200)).fields.slice(3), ['NOK', NO_TRANSACTION]);
  });

  test('RFC 4320 §4.2: a request other than INVITE that is never answered is forgotten in silence', {
    skip: oursOnly,
  }, async () => {
    await start();
    peer.request({ method: 'OPTIONS' });
    const frame = await client.events.next();
    await waitFor('the request to be forgotten', () => engine.stats().pendingRequests === 0);
    assert.deepEqual((await respond(frame, 200)).fields.slice(3), ['NOK', NO_TRANSACTION]);
    assert.equal(statusOf(await peer.udp.inbox.next()), 100);
    assert.equal(peer.udp.inbox.size, 0);
  });

  test('RFC 4320 §4.1, §4.2: an application’s 408 or 180 to a request other than INVITE is refused, another answer goes out', {
    skip: oursOnly,
  }, async () => {
    await start();
    peer.request({ method: 'MESSAGE' });
    const frame = await client.events.next();
    for (const status of [180, 408]) assert.equal((await respond(frame, status)).fields[3], 'NOK');
    assert.equal((await respond(frame, 202)).fields[3], 'OK');
    assert.equal(statusOf(await peer.next()), 202);
  });

  test('20: what is malformed does not reach the application; compact names and odd display names do', {
    skip: oursOnly,
  }, async () => {
    await start();
    const bad = (change: (text: string) => string): void => {
      const text = peer
        .request({ method: 'OPTIONS', via: 'SIP/2.0/UDP 127.0.0.1:9' })
        .replace(/branch=z9hG4bK/, 'branch=z9hG4bKbad');
      peer.send(change(text));
    };
    for (const change of [
      (text: string) => text.replace('CSeq: 1 OPTIONS', 'CSeq: abc'),
      (text: string) => text.replace(/^From: .*$/m, 'From: <sip:a;tag=1'),
    ]) {
      bad(change);
      await client.events.next();
      assert.equal(statusOf(await peer.next()), 400);
    }
    bad((text) => text.replace(' SIP/2.0\r\n', ' SIP/3.0\r\n'));
    await client.events.next();
    assert.equal(statusOf(await peer.next()), 505);
    peer.request({ method: 'OPTIONS' });
    bad((text) =>
      text.replace('From:', 'f:').replace('Call-ID: ', 'i: other').replace(/f: </, 'f: foo bar <'),
    );
    await client.events.next();
    await client.events.next();
    const { sip } = await client.events.next();
    assert.match(sip, /\r\nf: foo bar </);
  });

  test('21: RFC 3261 §8.2.6.2: 180 has a To tag and no Contact, its echo the dialog, and 200 the same tag', async () => {
    await start();
    const invite = peer.request();
    const frame = await client.events.next();
    const echo = await respond(frame, 180);
    assert.equal(echo.fields.length, 15);
    assert.deepEqual(echo.fields.slice(3, 5), ['OK', 'application']);
    assert.equal(echo.fields[10], frame.fields[8]);
    assert.equal(
      echo.fields[11],
      `${headerOf(invite, 'Call-ID')};from-tag=${tagOf(headerOf(invite, 'From')!)}`,
    );
    assert.deepEqual(echo.fields.slice(12), ['', 'Msg sent:', '']);
    const ringing = await peer.next();
    assert.equal(ringing, echo.sip);
    // A difference on purpose: other engines add none.
    if (!oursOnly) assert.equal(headerOf(ringing, 'Contact'), `<sip:127.0.0.1:${engine.udpPort}>`);
    const ok = await respond(frame, 200, [], SDP);
    assert.equal(tagOf(headerOf(ok.sip, 'To')!), tagOf(headerOf(ringing, 'To')!));
    assert.equal(ok.fields[11], echo.fields[11]);
  });

  test('22: RFC 3261 §12.1.1: the engine adds Contact, Content-Type, Content-Length and Record-Route to a 200', async () => {
    await start();
    const routes = ['Record-Route: <sip:p2.example;lr>', 'Record-Route: <sip:p1.example;lr>'];
    peer.request({ headers: routes });
    await respond(await client.events.next(), 200, ['Content-Length: 1'], SDP);
    const ok = await peer.next();
    assert.equal(headerOf(ok, 'Contact'), `<sip:127.0.0.1:${engine.udpPort}>`);
    assert.equal(headerOf(ok, 'Content-Type'), 'application/sdp');
    assert.equal(headerOf(ok, 'Content-Length'), String(SDP.length));
    assert.deepEqual(ok.match(/^Record-Route: .*$/gm), routes);
  });

  test('23, 59: RFC 3261 §13.2.2.4: the ACK reaches the application under the name of the INVITE, once', {
    skip: oursOnly,
  }, async () => {
    await start();
    const invite = peer.request();
    const frame = await client.events.next();
    const echo = await respond(frame, 200, [], SDP);
    const ok = await peer.next();
    peer.inDialog(invite, ok, 'ACK', 1);
    const ack = await client.events.next();
    assert.deepEqual([ack.fields[8], ack.fields[9]], [frame.fields[8], echo.fields[11]]);
    assert.equal(ack.fields.length, 11);
    peer.inDialog(invite, ok, 'ACK', 1);
    peer.inDialog(invite, ok, 'INFO', 2);
    assert.match((await client.events.next()).sip, /^INFO/);
  });

  test('24: RFC 3261 §13.3.1.4: a 200 is repeated after T1, 2*T1, … until its ACK', {
    skip: oursOnly,
  }, async () => {
    await start();
    const invite = peer.request();
    await respond(await client.events.next(), 200, [], SDP);
    const times: number[] = [];
    let ok = '';
    for (let i = 0; i < 5; i++) {
      ok = await peer.until(/ 200 /);
      times.push(performance.now());
    }
    const gaps = times.slice(1).map((time, i) => Math.round((time - times[i]!) / FAST_TIMERS.t1Ms));
    assert.ok(gaps[0]! >= 1 && gaps[1]! >= 2 && gaps[2]! >= 4 && gaps[3]! >= 8, gaps.join());
    peer.inDialog(invite, ok, 'ACK', 1);
    await client.events.next();
    await assert.rejects(peer.next(400));
  });

  test('25: RFC 3261 §13.3.1.4: without ACK the engine sends BYE and tells the application', {
    skip: oursOnly,
  }, async () => {
    await start();
    peer.request();
    const echo = await respond(await client.events.next(), 200, [], SDP);
    const { fields, sip } = await client.events.next();
    assert.deepEqual([fields[2], fields[8], fields[9]], ['application', 'unsolicited', echo.fields[11]]);
    assert.match(sip, /^BYE /);
    assert.equal(headerOf(sip, 'Reason'), 'SIP;cause=200;text="ACK timeout"');
    const bye = await peer.until(/^BYE /);
    assert.equal(bye, sip);
    peer.respond(bye, 200);
    assert.equal(await isDialog(echo.fields[11]), false);
  });

  test('26: RFC 3261 §8.2.6.2: a To tag of the application stays the tag of the dialog', async () => {
    await start();
    const invite = peer.request();
    const frame = await client.events.next();
    const withTag = appResponse(frame.sip, 183).replace(/^(To: .*)$/m, '$1;tag=abc');
    await client.ask(`sip|${frame.fields[8]}|`, withTag);
    const echo = await respond(frame, 200, [], SDP);
    const ok = await peer.until(/ 200 /);
    assert.equal(tagOf(headerOf(ok, 'To')!), 'abc');
    peer.inDialog(invite, ok, 'ACK', 1);
    await client.events.next();
    const bye = await client.ask(`sip||${echo.fields[11]}`, 'BYE sip:placeholder SIP/2.0\r\n\r\n');
    assert.equal(tagOf(headerOf(bye.sip, 'From')!), 'abc');
  });

  test('27: RFC 3261 §17.2.1: 486 is repeated until its ACK, which stays in the engine; a second response is refused', {
    skip: oursOnly,
  }, async () => {
    await start();
    const invite = peer.request();
    const frame = await client.events.next();
    const echo = await respond(frame, 486);
    await peer.until(/ 486 /);
    const busy = await peer.until(/ 486 /);
    peer.acknowledge(invite, busy);
    assert.deepEqual((await respond(frame, 200)).fields.slice(3), ['NOK', NO_TRANSACTION]);
    await assert.rejects(peer.until(/ 486 /, 200));
    assert.equal(client.events.size, 0);
    assert.equal(await isDialog(echo.fields[11]), false);
  });

  for (const status of [undefined, 180])
    test(`${status ? 29 : 28}: RFC 3261 §9.2, RFC 3326 §2: CANCEL ${status ? 'after 180' : 'before any response'} gets 200, the INVITE 487 with the same tag`, async () => {
      await start();
      const invite = peer.request();
      const frame = await client.events.next();
      if (status) await respond(frame, status);
      const tags = new Set<string | undefined>();
      if (status) tags.add(tagOf(headerOf(await peer.next(), 'To')!));
      const reason = 'SIP;cause=200;text="Call completed elsewhere"';
      peer.send(
        invite
          .replace(/^INVITE/, 'CANCEL')
          .replace('1 INVITE', '1 CANCEL')
          .replace('Max-Forwards', `Reason: ${reason}\r\nMax-Forwards`),
      );
      const cancel = await client.events.next();
      assert.match(cancel.sip, /^CANCEL /);
      assert.equal(headerOf(cancel.sip, 'Reason'), reason);
      assert.equal(cancel.fields[8], frame.fields[8]);
      assert.equal(cancel.fields[9] === '', status === undefined);
      const answers = [await peer.next(), await peer.next()];
      assert.deepEqual(answers.map(statusOf), [200, 487]);
      for (const answer of answers) tags.add(tagOf(headerOf(answer, 'To')!));
      if (!oursOnly) assert.equal(tags.size, 1);
      assert.deepEqual((await respond(frame, 487)).fields.slice(3), ['NOK', NO_TRANSACTION]);
      peer.acknowledge(invite, answers[1]!);
    });

  test('30: RFC 3261 §9.2: CANCEL after 200 gets 481, the call stays', async () => {
    await start();
    const { invite, ok } = await answeredCall();
    peer.send(
      invite
        .replace(/^INVITE/, 'CANCEL')
        .replace('1 INVITE', '1 CANCEL')
        .replace(/Content-Type.*\r\n/, '')
        .replace(/Content-Length: \d+\r\n\r\n.*/s, 'Content-Length: 0\r\n\r\n'),
    );
    assert.equal(statusOf(await peer.next()), 481);
    peer.inDialog(invite, ok, 'INFO', 2);
    assert.match((await client.events.next()).sip, /^INFO/);
  });

  test('31: RFC 3262 §3: a reliable 183 is repeated until PRACK; the 200 waits for it', {
    skip: oursOnly,
  }, async () => {
    await start();
    const invite = peer.request({ headers: ['Supported: 100rel'] });
    const frame = await client.events.next();
    const echo = await respond(frame, 183, ['Require: 100rel'], SDP);
    assert.match(headerOf(echo.sip, 'RSeq')!, /^\d+$/);
    await peer.next();
    const progress = await peer.next();
    assert.equal(progress, echo.sip);
    assert.match(headerOf(progress, 'Contact')!, /127\.0\.0\.1/);
    const held = respond(frame, 200, [], SDP);
    assert.equal((await held).fields[3], 'OK');
    peer.inDialog(invite, progress, 'PRACK', 2, ['RAck: 1 1 INVITE']);
    assert.equal(statusOf(await peer.until(/ (481|200) /)), 481);
    peer.inDialog(invite, progress, 'PRACK', 3, [`RAck: ${headerOf(progress, 'RSeq')} 1 INVITE`]);
    const prack = await client.events.next();
    assert.equal(prack.fields[9], echo.fields[11]);
    await respond(prack, 200);
    const seqs = [headerOf(await peer.until(/ 200 /), 'CSeq'), headerOf(await peer.until(/ 200 /), 'CSeq')];
    assert.deepEqual(seqs.sort(), ['1 INVITE', '3 PRACK']);
  });

  test('31: a caller who knows no 100rel: the response is refused', async () => {
    await start();
    peer.request();
    const { fields } = await respond(await client.events.next(), 183, ['Require: 100rel']);
    assert.deepEqual(fields.slice(3), ['NOK', 'Remote endpoint does not support 100rel']);
  });

  test('RFC 3262 §3: a reliable 183 without PRACK ends the INVITE with 503', { skip: oursOnly }, async () => {
    await start();
    peer.request({ headers: ['Supported: 100rel'] });
    const echo = await respond(await client.events.next(), 183, ['Require: 100rel']);
    assert.match(await peer.until(/ 503 /), /503 Reliable Response Time-Out/);
    assert.match((await client.events.next()).sip, /^CANCEL/);
    assert.equal(await isDialog(echo.fields[11]), false);
  });

  test('32: a caller that requires 100rel gets a reliable 180, whose PRACK the engine answers', async () => {
    await start();
    const invite = peer.request({ headers: ['Require: 100rel'] });
    const frame = await client.events.next();
    await respond(frame, 180);
    const ringing = await peer.next();
    peer.inDialog(invite, ringing, 'PRACK', 2, [`RAck: ${headerOf(ringing, 'RSeq')} 1 INVITE`]);
    const response = await peer.until(/ 200 /);
    assert.equal(headerOf(response, 'CSeq'), '2 PRACK');
    assert.equal(client.events.size, 0);
  });

  test('33: RFC 6665 §4.1.3, §4.4.1: SUBSCRIBE makes a dialog that a terminated NOTIFY ends', async () => {
    await start();
    peer.request({ method: 'SUBSCRIBE', headers: ['Event: presence'] });
    const echo = await respond(await client.events.next(), 202);
    await peer.next();
    const notify = (state: string): Promise<Frame> =>
      client.ask(
        `sip||${echo.fields[11]}`,
        `NOTIFY sip:placeholder SIP/2.0\r\nSubscription-State: ${state}\r\nEvent: presence\r\n\r\n`,
      );
    for (const state of ['active', 'terminated']) {
      assert.equal((await notify(state)).fields[3], 'OK');
      peer.respond(await peer.next(), 200);
      await client.events.next();
    }
    assert.match((await notify('active')).fields[4]!, /unable to find dialog/);
  });

  test('RFC 5057 §4.2: a terminated NOTIFY leaves the call alone that it was sent in', async () => {
    await start();
    peer.request();
    const echo = await respond(await client.events.next(), 200);
    await peer.next();
    const notify = (state: string): Promise<Frame> =>
      client.ask(
        `sip||${echo.fields[11]}`,
        `NOTIFY sip:placeholder SIP/2.0\r\nSubscription-State: ${state}\r\nEvent: refer\r\n\r\n`,
      );
    for (const state of ['terminated', 'active']) {
      assert.equal((await notify(state)).fields[3], 'OK', state);
      peer.respond(await peer.until(/^NOTIFY/), 200);
      await client.events.next();
    }
  });

  test('34: an application cannot set Via, Route, Record-Route, RSeq or Content-Length of a response', async () => {
    await start();
    peer.request();
    const headers = [
      'Via: SIP/2.0/UDP evil',
      'Route: <sip:evil>',
      'Record-Route: <sip:evil>',
      'RSeq: 7',
      'Content-Length: 99',
      'bad name: x',
      'no colon',
    ];
    const echo = await respond(await client.events.next(), 200, headers);
    assert.doesNotMatch(echo.sip, /evil|RSeq|: 99|bad name|no colon/);
  });

  test('RFC 3261 §20.44, §20.27: each challenge gets a line of its own', async () => {
    await start();
    peer.request({ method: 'REGISTER' });
    const challenges =
      'Digest realm="a, b",nonce="1",algorithm=SHA-256,qop="auth,auth-int",Digest realm="a",nonce="2"';
    await respond(await client.events.next(), 401, [
      `www-authenticate: ${challenges}`,
      'x-Keep: y',
      'foo-bar: z',
    ]);
    const response = await peer.next();
    if (!oursOnly)
      assert.deepEqual(response.match(/^WWW-Authenticate: .*$/gm), [
        'WWW-Authenticate: Digest realm="a, b", nonce="1", algorithm=SHA-256, qop="auth,auth-int"',
        'WWW-Authenticate: Digest realm="a", nonce="2"',
      ]);
    assert.match(response, /\r\nx-Keep: y\r\n/);
    assert.match(response, /\r\nFoo-Bar: z\r\n/);
  });

  test('61: RFC 3311 §5.2: UPDATE during an INVITE comes under the name of the INVITE; a second one gets 500', async () => {
    await start();
    const invite = peer.request();
    const frame = await client.events.next();
    await respond(frame, 183, [], SDP);
    const progress = await peer.next();
    peer.inDialog(invite, progress, 'UPDATE', 2, [`Contact: <${peer.uri}>`]);
    const update = await client.events.next();
    assert.equal(update.fields[8], frame.fields[8]);
    peer.inDialog(invite, progress, 'UPDATE', 3, [`Contact: <${peer.uri}>`]);
    const busy = await peer.next();
    assert.equal(statusOf(busy), 500);
    if (!oursOnly) assert.match(headerOf(busy, 'Retry-After')!, /^([0-9]|10)$/);
    await respond(update, 200);
    const ok = await peer.next();
    assert.equal(headerOf(ok, 'CSeq'), '2 UPDATE');
    await respond(frame, 200, [], SDP);
    assert.equal(headerOf(await peer.until(/ 200 /), 'CSeq'), '1 INVITE');
  });

  test('RFC 3311 §5.2: in a call, too, a second UPDATE before the first is answered gets 500 with Retry-After', {
    skip: oursOnly,
  }, async () => {
    await start();
    const { invite, ok } = await answeredCall();
    for (const cseq of [2, 3]) peer.inDialog(invite, ok, 'UPDATE', cseq, [`Contact: <${peer.uri}>`]);
    const update = await client.events.next();
    const busy = await peer.next();
    assert.deepEqual([statusOf(busy), headerOf(busy, 'CSeq')], [500, '3 UPDATE']);
    assert.match(headerOf(busy, 'Retry-After')!, /^([0-9]|10)$/);
    await respond(update, 200);
    assert.equal(headerOf(await peer.next(), 'CSeq'), '2 UPDATE');
    peer.inDialog(invite, ok, 'UPDATE', 4, [`Contact: <${peer.uri}>`]);
    assert.match((await client.events.next()).sip, /CSeq: 4 UPDATE/);
  });

  test('RFC 3261 §15: the application’s BYE waits for the ACK of its 200, but not for that of a re-INVITE', {
    skip: oursOnly,
  }, async () => {
    await start();
    const invite = peer.request();
    const echo = await respond(await client.events.next(), 200, [], SDP);
    const ok = await peer.next();
    const bye = client.ask(`sip||${echo.fields[11]}`, appRequest('BYE', 'sip:placeholder'));
    assert.match(await peer.next(), / 200 /);
    peer.inDialog(invite, ok, 'ACK', 1);
    assert.match((await client.events.next()).sip, /^ACK/);
    assert.equal((await bye).fields[3], 'OK');
    peer.respond(await peer.until(/^BYE/), 200);
    await client.events.next();

    const call = await answeredCall();
    peer.inDialog(call.invite, call.ok, 'INVITE', 2, [`Contact: <${peer.uri}>`]);
    await respond(await client.events.next(), 200, [], SDP);
    const { fields } = await client.ask(`sip||${call.dialogId}`, appRequest('BYE', 'sip:placeholder'));
    assert.equal(fields[3], 'OK');
    peer.respond(await peer.until(/^BYE/), 200);
  });

  test('RFC 3261 §15: without an ACK the BYE is the engine’s, and the application’s finds no dialog', {
    skip: oursOnly,
  }, async () => {
    await start();
    peer.request();
    const echo = await respond(await client.events.next(), 200, [], SDP);
    const bye = client.ask(`sip||${echo.fields[11]}`, appRequest('BYE', 'sip:placeholder'));
    assert.match(headerOf(await peer.until(/^BYE/), 'Reason')!, /ACK timeout/);
    assert.match((await bye).fields[4]!, /unable to find dialog/);
  });

  test('62: RFC 3261 §15.1.2: BYE ends the dialog, its 200 still leaves; a second BYE gets 481', async () => {
    await start();
    const { invite, ok, dialogId } = await answeredCall();
    peer.inDialog(invite, ok, 'BYE', 2);
    const bye = await client.events.next();
    assert.equal(bye.fields[9], dialogId);
    const echo = await respond(bye, 200);
    assert.deepEqual(echo.fields.slice(11), ['', '', 'Msg sent:', '']);
    assert.equal(statusOf(await peer.next()), 200);
    peer.inDialog(invite, ok, 'BYE', 3);
    assert.equal(statusOf(await peer.next()), 481);
  });

  test('RFC 3261 §15.1.2: BYE in an early dialog gets 200, the INVITE 487, the application hears CANCEL', {
    skip: oursOnly,
  }, async () => {
    await start();
    const invite = peer.request();
    await respond(await client.events.next(), 180);
    const ringing = await peer.next();
    peer.inDialog(invite, ringing, 'BYE', 2);
    assert.match((await client.events.next()).sip, /^CANCEL /);
    assert.deepEqual([statusOf(await peer.next()), statusOf(await peer.next())], [200, 487]);
  });

  test('RFC 3261 §12.2.2: a request out of order gets 500; INFO in an early dialog is delivered with it', {
    skip: oursOnly,
  }, async () => {
    await start();
    const invite = peer.request({ cseq: 5 });
    const echo = await respond(await client.events.next(), 183);
    const progress = await peer.next();
    peer.inDialog(invite, progress, 'INFO', 4);
    assert.equal(statusOf(await peer.next()), 500);
    peer.inDialog(invite, progress, 'INFO', 6);
    const info = await client.events.next();
    assert.equal(info.fields[9], echo.fields[11]);
    await respond(info, 200);
    assert.equal(statusOf(await peer.next()), 200);
  });

  test('RFC 3261 §14.2: a re-INVITE while another is open gets 500 with Retry-After', {
    skip: oursOnly,
  }, async () => {
    await start();
    const { invite, ok } = await answeredCall();
    const contact = [`Contact: <${peer.uri}>`];
    peer.inDialog(invite, ok, 'INVITE', 2, contact);
    const first = await client.events.next();
    peer.inDialog(invite, ok, 'INVITE', 3, contact);
    const response = await peer.next();
    assert.equal(statusOf(response), 500);
    assert.match(headerOf(response, 'Retry-After')!, /^(\d|10)$/);
    peer.inDialog(invite, ok, 'BYE', 4);
    assert.equal(headerOf(await peer.next(), 'CSeq'), '2 INVITE');
    await respond(await client.events.next(), 200);
    assert.deepEqual((await respond(first, 200)).fields.slice(3), ['NOK', NO_TRANSACTION]);
  });

  test('a Call-ID with what ends a field of a leader is refused', { skip: oursOnly }, async () => {
    await start();
    peer.request({ callId: 'a|b#c' });
    assert.match(await peer.next(), /^SIP\/2\.0 400 Bad Call-ID Header/);
  });

  test('NO and NOK: a response without a transaction', async () => {
    await start();
    const text = 'SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n';
    assert.deepEqual((await client.ask('sip|nobody|', text)).fields.slice(3), ['NOK', NO_TRANSACTION]);
    assert.deepEqual((await client.ask('sip||', text)).fields.slice(3), ['NO', 'transaction id missing']);
    await client.closed;
  });
});
