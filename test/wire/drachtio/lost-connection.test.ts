import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, isIPv4 } from 'node:net';
import { afterEach, test } from 'node:test';
import type { EngineStats } from '../../../src/engine/engine.js';
import { localAddresses } from '../../../src/platform/local-address.js';
import { connectApp, disconnectApps, type Srf } from '../../support/b2bua-app.js';
import { DnsServer, srv } from '../../support/dns-server.js';
import { RawTcp, RawTcpServer } from '../../support/raw-sockets.js';
import { requestText, statusOf } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';
import { oursOnly, startWireEngine } from '../../support/wire-engine.js';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  disconnectApps();
  for (const part of open.splice(0).reverse()) await part.close();
});

/** A request that comes on a connection, which is gone when its response is there. */
async function loseConnection(
  sentBy: string,
  zone: DnsServer['zone'],
  way = { from: '127.0.0.77', to: '127.0.0.1' },
): Promise<{ respond(): void; stats(): EngineStats }> {
  const dns = await DnsServer.start({ zone });
  const sipListen = [
    { protocol: 'udp', address: '127.0.0.1', port: 0 },
    { protocol: 'tcp', address: way.to, port: 0 },
  ] as const;
  const engine = await startWireEngine({ dnsServers: [dns.name], sipListen });
  open.push(dns, engine);
  const srf: Srf = await connectApp(engine.target);
  const received = new Promise<Srf>((resolve) => srf.options((_req: Srf, res: Srf) => resolve(res)));
  await new Promise((resolve) =>
    srf.request(`sip:127.0.0.1:${engine.udpPort}`, { method: 'OPTIONS' }, resolve),
  );
  const socket = connect({ host: way.to, port: engine.tcpPort, localAddress: way.from });
  await once(socket, 'connect');
  const peer = new RawTcp(socket);
  peer.send(requestText({ via: `SIP/2.0/TCP ${sentBy}` }));
  const response = await received;
  await peer.close();
  await waitFor('the connection to be gone', () => (engine.stats().connections['tcp'] ?? 0) === 0);
  return { respond: () => response.send(200), stats: () => engine.stats() };
}

test('RFC 3261 §18.2.2, RFC 3263 §5: a response without its connection goes where the name in Via leads', {
  skip: oursOnly,
}, async () => {
  const server = await RawTcpServer.listen('127.0.0.3');
  open.push(server);
  const response = await loseConnection('proxy.test', {
    '_sip._tcp.proxy.test SRV': [srv(1, 'h1.proxy.test', 1), srv(server.port, 'h2.proxy.test', 2)],
    'h1.proxy.test A': ['127.0.0.3'],
    'h2.proxy.test A': ['127.0.0.3'],
  });
  response.respond();
  const connection = await server.connections.next();
  const text = await connection.inbox.next();
  assert.equal(statusOf(text), 200);
  assert.match(text, /^Via: SIP\/2\.0\/TCP proxy\.test;branch=/m);
});

test('RFC 3261 §18.2.2: the address that the request came from is tried first, at the port of sent-by', {
  skip: oursOnly,
}, async () => {
  const [source, named] = [await RawTcpServer.listen('127.0.0.77'), await RawTcpServer.listen('127.0.0.3')];
  open.push(source, named);
  const response = await loseConnection(`proxy.test:${source.port}`, { 'proxy.test A': ['127.0.0.3'] });
  response.respond();
  const connection = await source.connections.next();
  assert.equal(statusOf(await connection.inbox.next()), 200);
  assert.equal(named.accepted, 0);
});

const outside = localAddresses().find((address) => isIPv4(address) && !address.startsWith('127.'));

test('RFC 3263 §5: a peer from elsewhere has no response sent to what listens on this machine alone', {
  skip: oursOnly || (outside === undefined && 'this machine has no address but loopback'),
}, async () => {
  const inside = await RawTcpServer.listen('127.0.0.3');
  open.push(inside);
  const zone = {
    '_sip._tcp.proxy.test SRV': [srv(inside.port, 'h.proxy.test')],
    'h.proxy.test A': ['127.0.0.3'],
  };
  const lost = await loseConnection('proxy.test', zone, { from: outside!, to: outside! });
  lost.respond();
  await waitFor('the look-up', () => lost.stats().resolve.queries >= 2);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(inside.accepted, 0);
});
