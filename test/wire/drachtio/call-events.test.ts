import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { startProxyApp, untilRouted } from '../../support/proxy-app.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headersOf, statusOf } from '../../support/sip-text.js';
import { appRequest, appResponse, SDP, TextPeer } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

const EVENTS = ['cdr:attempt', 'cdr:start', 'cdr:stop'];

/** What a frame of ours is about, in a few words. */
function summary({ fields, sip }: Frame): string {
  const start = /^(?:SIP\/2\.0 (\d+)|([A-Z]+))/.exec(sip);
  const what = start?.[1] ?? start?.[2] ?? '';
  const detail = fields[1]?.startsWith('cdr:') && fields[4] !== undefined ? ` ${fields[4]}` : '';
  return `${fields[1]} ${fields[2]}${detail} ${what}`;
}

describe('call events', () => {
  let engine: WireEngine;
  let client: FrameClient;
  let caller: TextPeer;
  before(async () => {
    engine = await startWireEngine({ timers: FAST_TIMERS });
  });
  after(() => engine.close());
  afterEach(async () => {
    disconnectApps();
    await FrameClient.closeAll();
    await TextPeer.closeAll();
  });

  const start = async (verbs: readonly string[] = ['invite', ...EVENTS]): Promise<void> => {
    client = await FrameClient.start(engine.target, verbs);
    caller = await TextPeer.open(engine.udpPort);
  };
  const next = async (count: number): Promise<string[]> => {
    const frames: string[] = [];
    while (frames.length < count) frames.push(summary(await client.events.next()));
    return frames;
  };
  /** Leaders in the order they came, those of call events and echoes. */
  const order = (): string[] =>
    client.leaders
      .filter((fields) => EVENTS.includes(fields[1]!) || fields.some((field) => field === 'Msg sent:'))
      .map((fields) => (fields[1] === 'response' ? 'echo' : fields[1]!));

  test('74: nobody who did not ask is told', async () => {
    await start(['invite']);
    const invite = caller.request();
    const frame = await client.events.next();
    await client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, 486));
    caller.acknowledge(invite, await caller.next());
    assert.ok(client.leaders.every((fields) => !fields[1]!.startsWith('cdr:')));
  });

  test('74: a call that we answer: attempt, start, stop, each behind the message it is about', async () => {
    await start();
    const invite = caller.request({ body: SDP, headers: ['Content-Type: application/sdp'] });
    const frame = await client.events.next();
    const attempt = await client.events.next();
    assert.equal(summary(attempt), 'cdr:attempt network INVITE');
    assert.match(attempt.fields[3]!, /^\d\d:\d\d:\d\d\.\d{6}$/);
    assert.equal(attempt.fields.length, 4);
    await client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, 200, [], SDP));
    const ok = await caller.next();
    assert.deepEqual(await next(1), ['cdr:start application uas 200']);
    assert.deepEqual(order(), ['cdr:attempt', 'echo', 'cdr:start']);
    caller.inDialog(invite, ok, 'ACK', 1);
    caller.inDialog(invite, ok, 'BYE', 2);
    assert.deepEqual(await next(3), [
      'sip network ACK',
      'sip network BYE',
      'cdr:stop network normal-release BYE',
    ]);
  });

  test('74: a call that we make and end: attempt and stop come before their echoes', async () => {
    await start();
    const uri = `sip:bob@127.0.0.1:${caller.port}`;
    const asked = client.ask('sip||', appRequest('INVITE', uri, ['Content-Type: application/sdp'], SDP));
    const invite = await caller.until(/^INVITE/);
    await asked;
    caller.respond(invite, 200, { body: SDP });
    assert.deepEqual(await next(3), [
      'cdr:attempt application INVITE',
      'sip network 200',
      'cdr:start network uac 200',
    ]);
    const dialogId = client.leaders.find((fields) => fields[1] === 'sip')![9]!;
    await client.ask(`sip||${dialogId}`, appRequest('ACK', uri));
    await caller.until(/^ACK/);
    await client.ask(`sip||${dialogId}`, appRequest('BYE', 'sip:placeholder'));
    assert.deepEqual(await next(1), ['cdr:stop application normal-release BYE']);
    assert.deepEqual(order(), ['cdr:attempt', 'echo', 'cdr:start', 'echo', 'cdr:stop', 'echo']);
  });

  test('74: rejected calls, ours and theirs', async () => {
    await start();
    const invite = caller.request();
    const [frame] = [await client.events.next(), await client.events.next()];
    await client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, 486));
    caller.acknowledge(invite, await caller.next());
    assert.deepEqual(await next(1), ['cdr:stop application call-rejected 486']);
    const asked = client.ask('sip||', appRequest('INVITE', `sip:bob@127.0.0.1:${caller.port}`));
    caller.respond(await caller.until(/^INVITE/), 603);
    await asked;
    assert.deepEqual(await next(3), [
      'cdr:attempt application INVITE',
      'sip network 603',
      'cdr:stop network call-rejected 603',
    ]);
  });

  test('74: cancelled calls, theirs and ours', async () => {
    await start();
    const invite = caller.request();
    const [frame] = [await client.events.next(), await client.events.next()];
    await client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, 180));
    await caller.until(/ 180 /);
    caller.send(invite.replace(/^INVITE/, 'CANCEL').replace(/^(CSeq: \d+) INVITE/m, '$1 CANCEL'));
    caller.acknowledge(invite, await caller.until(/ 487 /));
    assert.deepEqual(await next(2), ['cdr:stop network call-canceled INVITE', 'sip network CANCEL']);
    const uri = `sip:bob@127.0.0.1:${caller.port}`;
    const echo = await client.ask('sip||', appRequest('INVITE', uri));
    const sent = await caller.until(/^INVITE/);
    caller.respond(sent, 180);
    await client.ask(`sip|${echo.fields[10]}|`, appRequest('CANCEL', uri));
    caller.respond(await caller.until(/^CANCEL/), 200);
    caller.respond(sent, 487);
    assert.deepEqual((await next(4)).slice(-1), ['cdr:stop network call-canceled 487']);
  });

  test('74: a BYE that gives up an INVITE is no second end of the call', async () => {
    await start();
    const uri = `sip:bob@127.0.0.1:${caller.port}`;
    await client.ask('sip||', appRequest('INVITE', uri));
    const invite = await caller.until(/^INVITE/);
    caller.respond(invite, 180);
    assert.deepEqual(await next(2), ['cdr:attempt application INVITE', 'sip network 180']);
    const dialogId = client.leaders.find((fields) => fields[1] === 'sip')![9]!;
    await client.ask(`sip||${dialogId}`, appRequest('BYE', 'sip:placeholder'));
    caller.respond(await caller.until(/^BYE/), 200);
    caller.respond(invite, 487);
    assert.deepEqual(
      (await next(3)).filter((frame) => frame.startsWith('cdr:')),
      ['cdr:stop network call-canceled 487'],
    );
  });

  test('74: time-outs: nobody answers us, nobody acknowledges our 200', { skip: oursOnly }, async () => {
    await start();
    await client.ask('sip||', appRequest('INVITE', `sip:bob@127.0.0.1:${caller.port}`));
    assert.deepEqual(await next(3), [
      'cdr:attempt application INVITE',
      'sip network 408',
      'cdr:stop network call-rejected 408',
    ]);
    caller.request({ body: SDP });
    const frame = await client.events.next();
    await client.ask(`sip|${frame.fields[8]}|`, appResponse(frame.sip, 200, [], SDP));
    assert.deepEqual((await next(4)).slice(1), [
      'cdr:start application uas 200',
      'sip application BYE',
      'cdr:stop application system-error-initiated-termination BYE',
    ]);
  });

  test('74: without an application the attempt and its end are told all the same', async () => {
    await start(EVENTS);
    caller.request();
    await caller.until(/ 503 /);
    assert.deepEqual(await next(2), ['cdr:attempt network INVITE', 'cdr:stop application call-rejected 503']);
  });

  test('74: a proxied call: both sides of it, and of its BYE', async () => {
    await start(EVENTS);
    const callee = await TextPeer.open(engine.udpPort);
    const app = await startProxyApp(engine, [callee], { proxy: { remainInDialog: true } });
    const invite = caller.request();
    const copy = await callee.until(/^INVITE/);
    const routes = headersOf(copy, 'Record-Route');
    callee.respond(copy, 200, { headers: routes.map((value) => `Record-Route: ${value}`) });
    const ok = await caller.until(/ 200 /);
    assert.deepEqual(await next(4), [
      'cdr:attempt network INVITE',
      'cdr:attempt application INVITE',
      'cdr:start network proxy-uac 200',
      'cdr:start application proxy-uas 200',
    ]);
    await app.first;
    // Told of once, though the callee repeats it.
    callee.respond(copy, 200);
    await caller.until(/ 200 /);
    caller.inDialog(
      invite,
      ok,
      'BYE',
      2,
      routes.map((value) => `Route: ${value}`),
    );
    callee.respond(await callee.until(/^BYE/), 200);
    assert.deepEqual(await next(2), [
      'cdr:stop network normal-release BYE',
      'cdr:stop application normal-release BYE',
    ]);
  });

  test('74: a proxied call that is refused, and one that is cancelled', { skip: oursOnly }, async () => {
    await start(EVENTS);
    const callee = await TextPeer.open(engine.udpPort);
    await startProxyApp(engine, [callee]);
    caller.request();
    callee.respond(await callee.until(/^INVITE/), 486);
    assert.equal(statusOf(await caller.next()), 486);
    assert.deepEqual((await next(4)).slice(2), [
      'cdr:stop network call-rejected 486',
      'cdr:stop application call-rejected 486',
    ]);
    await callee.until(/^ACK/);
    const invite = caller.request();
    const copy = await callee.until(/^INVITE/);
    callee.respond(copy, 180);
    await caller.until(/ 180 /);
    caller.send(invite.replace(/^INVITE/, 'CANCEL').replace(/^(CSeq: \d+) INVITE/m, '$1 CANCEL'));
    callee.respond(await callee.until(/^CANCEL/), 200);
    callee.respond(copy, 487);
    await caller.until(/ 487 /);
    assert.deepEqual((await next(4)).slice(2), [
      'cdr:stop network call-canceled 487',
      'cdr:stop application call-canceled 487',
    ]);
  });

  test('74: drachtio-srf understands them', async () => {
    caller = await TextPeer.open(engine.udpPort);
    const srf = await connectApp(engine.target);
    const told: string[] = [];
    srf.on('cdr:attempt', (source: string, _time: string, msg: Srf) =>
      told.push(`attempt ${source} ${msg.method}`),
    );
    srf.on('cdr:start', (source: string, _time: string, role: string, msg: Srf) =>
      told.push(`start ${source} ${role} ${msg.status}`),
    );
    srf.on('cdr:stop', (source: string, _time: string, reason: string, msg: Srf) =>
      told.push(`stop ${source} ${reason} ${msg.status ?? msg.method}`),
    );
    srf.invite((req: Srf, res: Srf) => void srf.createUAS(req, res, { localSdp: SDP }));
    await untilRouted(srf, engine);
    const invite = caller.request({ body: SDP });
    const ok = await caller.until(/ 200 /);
    caller.inDialog(invite, ok, 'ACK', 1);
    caller.inDialog(invite, ok, 'BYE', 2);
    await caller.until(/ 200 /);
    await waitFor('three events', () => told.length === 3);
    assert.deepEqual(told, [
      'attempt network INVITE',
      'start application uas 200',
      'stop network normal-release BYE',
    ]);
  });

  test('74: several applications that ask are told in turn', async () => {
    await start(['cdr:attempt']);
    const other = await FrameClient.start(engine.target, ['cdr:attempt']);
    for (let i = 0; i < 4; i++) caller.request();
    for (const each of [client, other]) {
      await each.events.next();
      await each.events.next();
    }
  });
});
