import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { EngineOptions } from '../../../src/engine/engine.js';
import { DnsServer, srv } from '../../support/dns-server.js';
import { Target } from '../../support/dns-targets.js';
import { type Frame, FrameClient } from '../../support/frame-client.js';
import { type RawTcp, RawTcpServer } from '../../support/raw-sockets.js';
import { FAST_TIMERS } from '../../support/sip-stack.js';
import { headerOf, responseText, statusOf } from '../../support/sip-text.js';
import { appRequest, SDP } from '../../support/text-peer.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine, type WireEngine } from '../../support/wire-engine.js';

const ADDRESS = '127.0.0.2';

describe('requests too large for UDP', { skip: oursOnly }, () => {
  let dns: DnsServer;
  let client: FrameClient;
  const open: { close(): Promise<void> }[] = [];
  before(async () => {
    dns = await DnsServer.start();
  });
  after(() => dns.close());
  afterEach(async () => {
    await FrameClient.closeAll();
    for (const part of open.splice(0).reverse()) await part.close();
  });

  const start = async (options: Partial<EngineOptions> = {}): Promise<WireEngine> => {
    const engine = await startWireEngine({ timers: FAST_TIMERS, dnsServers: [dns.name], ...options });
    open.push(engine);
    client = await FrameClient.start(engine.target);
    return engine;
  };
  const udpTarget = async (engine: WireEngine, port = 0): Promise<Target> => {
    const target = await Target.open(engine.udpPort, ADDRESS, 200, port);
    open.push(target);
    return target;
  };
  const tcpTarget = async (port = 0): Promise<RawTcpServer> => {
    const server = await RawTcpServer.listen(ADDRESS, port);
    open.push(server);
    return server;
  };
  /** A MESSAGE with a body of so many bytes. */
  const send = (uri: string, bytes: number, route = ''): string =>
    client.send(
      `sip||${route && `|${route}`}`,
      appRequest(
        'MESSAGE',
        uri,
        ['content-type: text/plain', 'cseq: 7 MESSAGE', 'call-id: fixed'],
        'x'.repeat(bytes),
      ),
    );
  const answerNext = async (connection: RawTcp, statusCode = 200): Promise<string> => {
    const request = await connection.inbox.next();
    connection.send(responseText(request, statusCode));
    return request;
  };
  const status = async (): Promise<number | undefined> => statusOf((await client.events.next()).sip);

  test('RFC 3261 §18.1.1: 1300 bytes go by UDP, more by TCP, and Via says so', async () => {
    const engine = await start();
    const tcp = await tcpTarget();
    const udp = await udpTarget(engine, tcp.port);
    const uri = `sip:bob@${ADDRESS}:${tcp.port}`;
    send(uri, 1000);
    const small = await udp.requests.next();
    assert.equal(await status(), 200);
    const body = 1300 - (small.length - 1000);
    send(uri, body);
    const largest = await udp.requests.next();
    assert.equal(largest.length, 1300);
    assert.equal(await status(), 200);
    const id = send(uri, body + 1);
    const connection = await tcp.connections.next();
    const large = await answerNext(connection);
    assert.equal(large.length, 1301 - ';rport'.length);
    assert.match(
      headerOf(large, 'Via')!,
      new RegExp(`^SIP/2\\.0/TCP 127\\.0\\.0\\.1:${engine.tcpPort};branch=z9hG4bK`),
    );
    assert.equal(await status(), 200);
    const echo: Frame = await client.answersTo(id).next();
    assert.deepEqual(echo.fields.slice(6, 9), ['tcp', ADDRESS, String(tcp.port)]);
    // The connection serves the next one.
    send(uri, 3000);
    assert.match(await answerNext(connection), /^MESSAGE/);
    assert.equal(await status(), 200);
    assert.equal(tcp.accepted, 1);
    assert.equal(udp.requests.size, 0);
    assert.equal(engine.stats().core.largeByTcp, 2);
  });

  test('RFC 3261 §18.1.1: a peer that refuses TCP gets it by UDP, and is not asked again for a while', async () => {
    const engine = await start();
    const udp = await udpTarget(engine);
    const uri = `sip:bob@${ADDRESS}:${udp.port}`;
    const id = send(uri, 2000);
    const request = await udp.requests.next();
    assert.match(headerOf(request, 'Via')!, /^SIP\/2\.0\/UDP .*;rport$/);
    assert.equal(headerOf(request, 'CSeq'), '7 MESSAGE');
    assert.equal([...request.matchAll(/^Via:/gm)].length, 1);
    assert.equal(await status(), 200);
    assert.equal((await client.answersTo(id).next()).fields[3], 'OK');
    const late = await tcpTarget(udp.port);
    send(uri, 2000);
    await udp.requests.next();
    assert.equal(await status(), 200);
    assert.equal(late.accepted, 0);
    assert.equal(engine.stats().core.largeByTcp, 1);
  });

  test('RFC 3261 §18.1.1: a reset likewise; a peer that answers by TCP that it will not is believed', async () => {
    const engine = await start();
    const tcp = await tcpTarget();
    const udp = await udpTarget(engine, tcp.port);
    const uri = `sip:bob@${ADDRESS}:${tcp.port}`;
    send(uri, 2000);
    await answerNext(await tcp.connections.next(), 503);
    assert.equal(await status(), 503);
    assert.equal(udp.log.length, 0);
    const other = await tcpTarget();
    const otherUdp = await udpTarget(engine, other.port);
    send(`sip:bob@${ADDRESS}:${other.port}`, 2000);
    // It may be tried once more on a new connection, as after any that was closed under a request.
    const reset = async (): Promise<void> => {
      for (;;) (await other.connections.next()).socket.resetAndDestroy();
    };
    reset().catch(() => {});
    assert.match(await otherUdp.requests.next(), /^MESSAGE/);
    assert.equal(await status(), 200);
  });

  test('an INVITE too large: its ACK and the BYE take the connection that answered', async () => {
    await start();
    const tcp = await tcpTarget();
    const uri = `sip:bob@${ADDRESS}:${tcp.port}`;
    client.send('sip||', appRequest('INVITE', uri, [`x-pad: ${'p'.repeat(1500)}`], SDP));
    const connection = await tcp.connections.next();
    const invite = await connection.inbox.next();
    connection.send(responseText(invite, 200, { headers: [`Contact: <${uri}>`] }));
    const ok = await client.events.next();
    await client.ask(`sip||${ok.fields[9]}`, appRequest('ACK', 'sip:x'));
    assert.match(await connection.inbox.next(), /^ACK/);
    await client.ask(`sip||${ok.fields[9]}`, appRequest('BYE', 'sip:x'));
    assert.match(await answerNext(connection), /^BYE/);
    assert.equal(await status(), 200);
  });

  test('RFC 3261 §18.1.1: an ACK too large likewise: by TCP, and by UDP to a peer that refuses', async () => {
    const engine = await start();
    const answer = (request: string): number | undefined => (request.startsWith('INVITE') ? 200 : undefined);
    const lateOffer = async (port: number): Promise<Frame> => {
      const uri = `sip:bob@${ADDRESS}:${port}`;
      client.send('sip||', appRequest('INVITE', uri));
      const { fields } = await client.events.next();
      return client.ask(
        `sip||${fields[9]}`,
        appRequest('ACK', 'sip:x', [], `${SDP}${'a=x\r\n'.repeat(400)}`),
      );
    };
    const tcp = await tcpTarget();
    const udp = await udpTarget(engine, tcp.port);
    udp.policy = answer;
    udp.headers = [`Contact: <sip:bob@${ADDRESS}:${tcp.port}>`];
    const echo = await lateOffer(tcp.port);
    assert.deepEqual(echo.fields.slice(6, 9), ['tcp', ADDRESS, String(tcp.port)]);
    const connection = await tcp.connections.next();
    const ack = await connection.inbox.next();
    assert.match(ack, /^ACK/);
    assert.match(headerOf(ack, 'Via')!, /^SIP\/2\.0\/TCP/);
    // The peer did not see it, and says so by repeating its 2xx.
    udp.respond(await udp.requests.next(), 200);
    assert.equal(await connection.inbox.next(), ack);
    const plain = await udpTarget(engine);
    plain.policy = answer;
    plain.headers = [`Contact: <sip:bob@${ADDRESS}:${plain.port}>`];
    await lateOffer(plain.port);
    const invite = await plain.requests.next();
    const byUdp = await plain.requests.next();
    assert.match(byUdp, /^ACK/);
    assert.match(headerOf(byUdp, 'Via')!, /^SIP\/2\.0\/UDP/);
    plain.respond(invite, 200);
    await waitFor('the ACK again', () => plain.log.filter((text) => text === byUdp).length === 2);
  });

  test('a route that names UDP is the only way in; so is where a peer behind a NAT was seen', async () => {
    const engine = await start();
    const tcp = await tcpTarget();
    const udp = await udpTarget(engine, tcp.port);
    const to = `${ADDRESS}:${tcp.port}`;
    send('sip:bob@elsewhere.test', 2000, `sip:${to};transport=udp`);
    assert.match(await udp.requests.next(), /^MESSAGE/);
    assert.equal(await status(), 200);
    udp.headers = ['Contact: <sip:bob@10.1.2.3:5060>'];
    client.send('sip||', appRequest('INVITE', `sip:bob@${to}`, [], SDP));
    const { fields } = await client.events.next();
    await client.ask(`sip||${fields[9]}`, appRequest('ACK', 'sip:x'));
    await client.ask(`sip||${fields[9]}`, appRequest('INFO', 'sip:x', [`x-pad: ${'p'.repeat(2000)}`]));
    assert.equal(await status(), 200);
    assert.equal(tcp.accepted, 0);
  });

  test('a route without a transport leaves the choice: it goes by TCP', async () => {
    const engine = await start();
    const tcp = await tcpTarget();
    await udpTarget(engine, tcp.port);
    send('sip:bob@elsewhere.test', 2000, `sip:${ADDRESS}:${tcp.port}`);
    await answerNext(await tcp.connections.next());
    assert.equal(await status(), 200);
  });

  test('0 bytes: never by TCP; another bound is obeyed; without a TCP listener there is no choice', async () => {
    for (const options of [
      { udpMaxBytes: 0 },
      { udpMaxBytes: 1800 },
      { sipListen: [{ protocol: 'udp', address: '127.0.0.1', port: 0 }] as const },
    ]) {
      const engine = await start(options);
      const tcp = await tcpTarget();
      const udp = await udpTarget(engine, tcp.port);
      send(`sip:bob@${ADDRESS}:${tcp.port}`, 1400);
      assert.match(await udp.requests.next(), /^MESSAGE/);
      assert.equal(await status(), 200);
      assert.equal(tcp.accepted, 0);
    }
  });

  test('each target of a name is asked by TCP, then by UDP', async () => {
    const engine = await start();
    const udp = await udpTarget(engine);
    const tcp = await tcpTarget();
    await udpTarget(engine, tcp.port);
    dns.zone = {
      '_sip._udp.a.test SRV': [srv(udp.port, 'h.a.test', 1), srv(tcp.port, 'h.a.test', 2)],
      'h.a.test A': [ADDRESS],
    };
    udp.policy = 503;
    send('sip:a.test', 2000);
    assert.match(headerOf(await udp.requests.next(), 'Via')!, /UDP/);
    assert.match(headerOf(await answerNext(await tcp.connections.next()), 'Via')!, /TCP/);
    assert.equal(await status(), 200);
    assert.equal(engine.stats().core.failovers, 2);
  });
});
