import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { DnsServer, srv, type Zone } from '../../support/dns-server.js';
import { type Policy, Target } from '../../support/dns-targets.js';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { freeTcpPort, freeUdpPort } from '../../support/free-port.js';
import { RawTcpServer } from '../../support/raw-sockets.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, responseText, statusOf } from '../../support/sip-text.js';
import { appRequest, SDP, TextPeer } from '../../support/text-peer.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

const branchOf = (request: string): string | undefined => /branch=([^;\s]+)/.exec(request)?.[1];

describe('failover to the next target of a name', { skip: oursOnly }, () => {
  let engine: WireEngine;
  let dns: DnsServer;
  let client: FrameClient;
  const targets: Target[] = [];
  let lastName = 0;
  before(async () => {
    dns = await DnsServer.start();
    engine = await startWireEngine({ timers: FAST_TIMERS, dnsServers: [dns.name] });
  });
  after(async () => {
    await engine.close();
    await dns.close();
  });
  afterEach(async () => {
    disconnectApps();
    await FrameClient.closeAll();
    await TextPeer.closeAll();
    dns.ttlSec = 60;
    await Promise.all(targets.splice(0).map((target) => target.close()));
  });

  /** Targets on addresses of their own; the name's SRV records list them in this order. */
  const start = async (...policies: Policy[]): Promise<[string, ...Target[]]> => {
    client = await FrameClient.start(engine.target);
    for (const [i, policy] of policies.entries())
      targets.push(await Target.open(engine.udpPort, `127.0.0.${i + 2}`, policy));
    const name = nameOf(targets.map(({ port, address }) => ({ port, address })));
    return [name, ...targets];
  };
  /** A new name whose servers are tried in the order given. */
  const nameOf = (servers: readonly { port: number; address: string }[], protocol = 'udp'): string => {
    const name = `n${++lastName}.test`;
    const zone: Zone = {
      [`_sip._${protocol}.${name} SRV`]: servers.map(({ port }, i) => srv(port, `h${i}.${name}`, i)),
    };
    for (const [i, { address }] of servers.entries()) zone[`h${i}.${name} A`] = [address];
    dns.zone = { ...dns.zone, ...zone };
    return name;
  };
  const dead = async (address: string): Promise<{ port: number; address: string }> => ({
    port: await freeUdpPort(),
    address,
  });
  const send = (method: string, name: string, body = ''): string =>
    client.send('sip||', appRequest(method, `sip:bob@${name}`, [], body));
  /** The one response that the application gets, whose echo came first under the same name. */
  const outcome = async (id: string): Promise<Frame> => {
    const echo = await client.answersTo(id).next();
    assert.equal(echo.fields[3], 'OK', echo.fields[4]);
    const response = await client.events.next();
    assert.equal(response.fields[8], echo.fields[10]);
    return response;
  };
  const nothingMore = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.equal(client.events.size, 0);
  };

  test('52: RFC 3263 §4.3: a refusal by ICMP leads to the next target, and is remembered', async () => {
    const [, good] = await start(200);
    const before = engine.stats().core.failovers;
    const name = nameOf([await dead('127.0.0.9'), { port: good!.port, address: good!.address }]);
    const response = await outcome(send('OPTIONS', name));
    assert.equal(statusOf(response.sip), 200);
    assert.deepEqual([response.fields[5], response.fields[6]], ['127.0.0.2', String(good!.port)]);
    assert.equal(engine.stats().core.failovers, before + 1);
    assert.equal(statusOf((await outcome(send('OPTIONS', name))).sip), 200);
    assert.equal(engine.stats().core.failovers, before + 1);
    assert.equal(good!.requests.size, 2);
    await nothingMore();
  });

  test('52: RFC 3263 §4.3: after a 503 the same request goes on with a new branch', async () => {
    const [name, busy, good] = await start(503, (request) =>
      request.startsWith('INVITE') ? 486 : undefined,
    );
    const response = await outcome(send('INVITE', name, SDP));
    assert.equal(statusOf(response.sip), 486);
    const [first, ack, second] = [
      await busy!.requests.next(),
      await busy!.requests.next(),
      await good!.requests.next(),
    ];
    assert.match(ack, /^ACK/);
    assert.notEqual(branchOf(first), branchOf(second));
    const rest = (text: string): string => text.replace(/^Via:.*$/m, '');
    assert.equal(rest(first), rest(second));
    assert.equal([...second.matchAll(/^Via:/gm)].length, 1);
    assert.match(await good!.requests.next(), /^ACK/);
    await nothingMore();
  });

  test('RFC 3261 §21.5.4: a target that is busy for a while is tried last for as long', async () => {
    const [name, busy, good] = await start(503, 200);
    busy!.headers = ['Retry-After: 120 (later)'];
    for (let i = 0; i < 3; i++) assert.equal(statusOf((await outcome(send('MESSAGE', name))).sip), 200);
    assert.equal(busy!.requests.size, 1);
    assert.equal(good!.requests.size, 3);
  });

  test('52: RFC 3263 §4.3: silence until timer F leads to the next target', async () => {
    const [name, silent, good] = await start(undefined, 200);
    const startMs = performance.now();
    assert.equal(statusOf((await outcome(send('OPTIONS', name))).sip), 200);
    assert.ok(performance.now() - startMs >= 64 * FAST_TIMERS.t1Ms);
    assert.ok(silent!.log.length > 5);
    assert.equal(silent!.requests.size, 1);
    assert.equal(good!.requests.size, 1);
    await nothingMore();
  });

  test('52: RFC 3263 §4.3: silence until timer B likewise', async () => {
    const [name, silent, good] = await start(undefined, (request) =>
      request.startsWith('INVITE') ? 486 : undefined,
    );
    assert.equal(statusOf((await outcome(send('INVITE', name, SDP))).sip), 486);
    assert.equal(silent!.requests.size, 1);
    assert.match(await good!.requests.next(), /^INVITE/);
  });

  test('RFC 3263 §4.3: a target that said 100 is not dead, and its time-out is the outcome', async () => {
    const [name, , never] = await start(100, 200);
    assert.equal(statusOf((await outcome(send('OPTIONS', name))).sip), 408);
    assert.equal(never!.log.length, 0);
    await nothingMore();
  });

  test('52: when all targets fail the application hears of the last failure, once', async () => {
    const [, busy] = await start(503);
    const name = nameOf([
      await dead('127.0.0.8'),
      { port: busy!.port, address: '127.0.0.2' },
      await dead('127.0.0.9'),
    ]);
    const { fields, sip } = await outcome(send('INVITE', name, SDP));
    assert.match(sip, /^SIP\/2\.0 503 Service Unavailable/);
    assert.deepEqual([fields[2], fields[6]], ['network', '0']);
    await busy!.requests.next();
    const last = nameOf([await dead('127.0.0.8'), { port: busy!.port, address: '127.0.0.2' }]);
    assert.match((await outcome(send('OPTIONS', last))).sip, /^SIP\/2\.0 503 Test/);
    await nothingMore();
  });

  test('no more than eight targets are tried', async () => {
    client = await FrameClient.start(engine.target);
    const before = engine.stats().core.failovers;
    const servers = await Promise.all(Array.from({ length: 20 }, (_, i) => dead(`127.0.1.${i + 1}`)));
    assert.equal(statusOf((await outcome(send('OPTIONS', nameOf(servers)))).sip), 503);
    assert.equal(engine.stats().core.failovers, before + 7);
  });

  test('a CANCEL goes to the target that has the INVITE, and no further one is tried', async () => {
    const [, ringing, never] = await start(180, 200);
    const name = nameOf([
      await dead('127.0.0.9'),
      ...[ringing!, never!].map(({ port, address }) => ({ port, address })),
    ]);
    const id = send('INVITE', name, SDP);
    const echo = await client.answersTo(id).next();
    assert.equal(statusOf((await client.events.next()).sip), 180);
    const invite = await ringing!.requests.next();
    ringing!.policy = 200;
    const cancelled = await client.ask(`sip|${echo.fields[10]}|`, appRequest('CANCEL', 'sip:x'));
    assert.equal(cancelled.fields[3], 'OK');
    const cancel = await ringing!.requests.next();
    assert.match(cancel, /^CANCEL/);
    assert.equal(branchOf(cancel), branchOf(invite));
    // Even when it now says that it is busy.
    ringing!.respond(invite, 503);
    assert.equal(statusOf((await client.events.next()).sip), 503);
    assert.equal(never!.log.length, 0);
    await nothingMore();
  });

  test('a CANCEL while the target is silent: the time-out is the outcome', async () => {
    const [name, silent, never] = await start(undefined, 200);
    const id = send('INVITE', name, SDP);
    const echo = await client.answersTo(id).next();
    await silent!.requests.next();
    await client.ask(`sip|${echo.fields[10]}|`, appRequest('CANCEL', 'sip:x'));
    assert.equal(statusOf((await client.events.next()).sip), 408);
    assert.equal(never!.log.length, 0);
  });

  test('a target that let the caller hear ringing is not left for its 503', async () => {
    const [name, ringing, never] = await start(180, 200);
    send('INVITE', name, SDP);
    assert.equal(statusOf((await client.events.next()).sip), 180);
    ringing!.respond(await ringing!.requests.next(), 503);
    assert.equal(statusOf((await client.events.next()).sip), 503);
    assert.equal(never!.log.length, 0);
  });

  test('52: RFC 3263 §4.3: a refused TCP connection leads to the next target', async () => {
    await start();
    const server = await RawTcpServer.listen('127.0.0.2');
    const name = nameOf(
      [
        { port: await freeTcpPort(), address: '127.0.0.1' },
        { port: server.port, address: '127.0.0.2' },
      ],
      'tcp',
    );
    const before = engine.stats().core.failovers;
    const id = client.send('sip||', appRequest('OPTIONS', `sip:bob@${name};transport=tcp`));
    const connection = await server.connections.next();
    const request = await connection.inbox.next();
    assert.match(headerOf(request, 'Via')!, /^SIP\/2\.0\/TCP 127\.0\.0\.1/);
    connection.send(responseText(request, 200));
    assert.equal(statusOf((await outcome(id)).sip), 200);
    assert.equal(engine.stats().core.failovers, before + 1);
    // The connection serves the name from now on.
    client.send('sip||', appRequest('OPTIONS', `sip:bob@${name};transport=tcp`));
    await connection.inbox.next();
    assert.equal(server.accepted, 1);
    await server.close();
  });

  test('two silent targets are waited for, a third is not tried', async () => {
    const [name, , second, third] = await start(undefined, undefined, 200);
    const response = outcome(send('OPTIONS', name));
    assert.equal(statusOf((await response.catch(() => client.events.next())).sip), 408);
    assert.equal(second!.requests.size, 1);
    assert.equal(third!.log.length, 0);
  });

  test('a target of the other address family is told our address there', async () => {
    const both = await startWireEngine({
      timers: FAST_TIMERS,
      dnsServers: [dns.name],
      sipListen: [
        { protocol: 'udp', address: '127.0.0.1', port: 0 },
        { protocol: 'udp', address: '::1', port: 0 },
      ],
    });
    const good = await Target.open(both.udp6Port, '::1', (request) =>
      request.startsWith('INVITE') ? 486 : undefined,
    );
    targets.push(good);
    const name = `n${++lastName}.test`;
    dns.zone = {
      ...dns.zone,
      [`_sip._udp.${name} SRV`]: [
        srv((await dead('127.0.0.9')).port, `h0.${name}`),
        srv(good.port, `h1.${name}`, 1),
      ],
      [`h0.${name} A`]: ['127.0.0.9'],
      [`h1.${name} AAAA`]: ['::1'],
    };
    client = await FrameClient.start(both.target);
    assert.equal(statusOf((await outcome(send('INVITE', name, SDP))).sip), 486);
    const invite = await good.requests.next();
    assert.equal(headerOf(invite, 'Contact'), `<sip:[::1]:${both.udp6Port}>`);
    assert.match(headerOf(invite, 'Via')!, /UDP \[::1\]:/);
    await FrameClient.closeAll();
    await both.close();
  });

  test('a name that leads back to us is refused', async () => {
    await start();
    const name = nameOf([{ port: engine.udpPort, address: '127.0.0.1' }]);
    const answer = await client.ask('sip||', appRequest('OPTIONS', `sip:${name}`));
    assert.deepEqual([answer.fields[3], answer.fields[4]], ['NOK', 'can not send request to myself']);
  });

  test('RFC 3263 §4.3: a dialog stays with the target that answered, and goes on to its like when that is gone', async () => {
    const [, one, two] = await start(200, 200);
    const name = nameOf([
      await dead('127.0.0.9'),
      ...[one!, two!].map(({ port, address }) => ({ port, address })),
    ]);
    for (const target of [one!, two!]) target.headers = [`Contact: <sip:bob@${name}>`];
    // Whoever looks the name up anew meets the other first.
    const swap = (): void => {
      dns.zone = {
        ...dns.zone,
        [`_sip._udp.${name} SRV`]: [srv(two!.port, `h2.${name}`), srv(one!.port, `h1.${name}`, 1)],
      };
    };
    dns.ttlSec = 0;
    const { fields } = await outcome(send('INVITE', name, SDP));
    swap();
    await client.ask(`sip||${fields[9]}`, appRequest('ACK', 'sip:x'));
    assert.match(await one!.requests.next(), /^INVITE/);
    assert.match(await one!.requests.next(), /^ACK sip:bob@n/);
    one!.policy = 503;
    await client.ask(`sip||${fields[9]}`, appRequest('INFO', 'sip:x'));
    // Its peer is busy: no other can answer for it.
    assert.equal(statusOf((await client.events.next()).sip), 503);
    assert.match(await one!.requests.next(), /^INFO/);
    assert.equal(two!.log.length, 0);
    await one!.close();
    targets.splice(targets.indexOf(one!), 1);
    await client.ask(`sip||${fields[9]}`, appRequest('BYE', 'sip:x'));
    assert.equal(statusOf((await client.events.next()).sip), 200);
    assert.match(await two!.requests.next(), /^BYE/);
  });

  test('52: an srf application calls a name: SRV, the target that answers, ACK and BYE there', async () => {
    const [, good] = await start(200);
    const name = nameOf([await dead('127.0.0.9'), { port: good!.port, address: '127.0.0.2' }]);
    good!.headers = [`Contact: <sip:bob@127.0.0.2:${good!.port}>`];
    const srf: Srf = await connectApp(engine.target);
    const sent: Srf[] = [];
    const dialog = await srf.createUAC(
      `sip:bob@${name}`,
      { localSdp: SDP },
      { cbRequest: (_: Srf, req: Srf) => sent.push(req) },
    );
    assert.equal(sent.length, 1);
    await dialog.destroy();
    const methods = [
      await good!.requests.next(),
      await good!.requests.next(),
      await good!.requests.next(),
    ].map((text) => text.split(' ')[0]);
    assert.deepEqual(methods, ['INVITE', 'ACK', 'BYE']);
    await assert.rejects(srf.createUAC('sip:nobody.invalid', { localSdp: SDP }), { status: 503 });
  });

  test('a proxied request goes on to the next target too', async () => {
    const [, good] = await start((request) => (request.startsWith('INVITE') ? 486 : undefined));
    const name = nameOf([await dead('127.0.0.9'), { port: good!.port, address: '127.0.0.2' }]);
    const srf: Srf = await connectApp(engine.target);
    srf.invite((req: Srf) =>
      srf.proxyRequest(req, [`sip:bob@${name}`], { recordRoute: true }).catch(() => {}),
    );
    await new Promise((resolve) =>
      srf.request(`sip:127.0.0.1:${engine.udpPort}`, { method: 'OPTIONS' }, resolve),
    );
    const caller = await TextPeer.open(engine.udpPort);
    const invite = caller.request({ body: SDP });
    assert.equal(statusOf(await caller.next()), 486);
    const copy = await good!.requests.next();
    assert.equal(headerOf(copy, 'Call-ID'), headerOf(invite, 'Call-ID'));
    assert.equal([...copy.matchAll(/^Via:/gm)].length, 2);
    assert.equal([...copy.matchAll(/^Record-Route:/gm)].length, 1);
  });
});
