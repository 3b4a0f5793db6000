import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { Hop, ServerTransaction } from '../../../src/engine/types.js';
import { createResponse } from '../../../src/sip/response.js';
import { RawTcp, RawTcpServer, RawUdp } from '../../support/raw-sockets.js';
import {
  FAST_TIMERS,
  RecordingClientUser,
  requestFrom,
  type Stack,
  startStack,
} from '../../support/sip-stack.js';
import { headerOf, type RequestText, requestText, responseText, statusOf } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';

let stack: Stack;
let server: RawTcpServer;

beforeEach(async () => {
  stack = await startStack({ timers: FAST_TIMERS });
  server = await RawTcpServer.listen();
});

afterEach(async () => {
  await server.close();
  await stack.close();
});

const VIA = 'SIP/2.0/TCP 127.0.0.1:5060';
const overTcp = (options: RequestText = {}): string => requestText({ via: VIA, ...options });

function send(hop: Hop, options: RequestText = {}): RecordingClientUser {
  const user = new RecordingClientUser();
  stack.transactions.createClient(requestFrom(requestText(options)), hop, user);
  return user;
}

function ok(tx: ServerTransaction): void {
  tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
}

test('RFC 3261 §18.2.2: a response goes back on the connection of its request', async () => {
  const phone = await RawTcp.connect(stack.port('tcp'));
  phone.send(overTcp({ via: 'SIP/2.0/TCP 192.0.2.7:5060;rport' }));
  const tx = await stack.requests.next();
  assert.equal(tx.source.protocol, 'tcp');
  assert.equal(tx.source.port, phone.localPort);
  ok(tx);
  const response = await phone.inbox.next();
  assert.equal(statusOf(response), 200);
  assert.match(
    headerOf(response, 'Via') ?? '',
    new RegExp(`received=127\\.0\\.0\\.1;rport=${phone.localPort}|rport=${phone.localPort};.*received=127`),
  );
  await phone.close();
});

test('RFC 3261 §18.2.2: when that connection is gone, a new one to received at the port of sent-by', async () => {
  const phone = await RawTcp.connect(stack.port('tcp'));
  phone.send(overTcp({ via: `SIP/2.0/TCP phone.example:${server.port}` }));
  const tx = await stack.requests.next();
  await phone.close();
  await waitFor('0 connections', () => stack.transport.connectionCount === 0);
  ok(tx);
  const connection = await server.connections.next();
  assert.equal(statusOf(await connection.inbox.next()), 200);
});

test('RFC 3261 §18: a stream cut at each byte gives the same messages', async () => {
  const phone = await RawTcp.connect(stack.port('tcp'));
  phone.socket.setNoDelay(true);
  const text = overTcp({ method: 'MESSAGE', body: 'hello' }) + overTcp({ method: 'INFO' });
  for (const byte of text) {
    phone.send(byte);
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await stack.requests.next()).request.body.toString(), 'hello');
  assert.equal((await stack.requests.next()).request.method, 'INFO');
  await phone.close();
});

test('RFC 3261 §7.5: several messages in one segment, line ends between them', async () => {
  const phone = await RawTcp.connect(stack.port('tcp'));
  const methods = ['OPTIONS', 'INFO', 'MESSAGE'];
  phone.send(methods.map((method) => `\r\n${overTcp({ method })}`).join(''));
  for (const method of methods) {
    const tx = await stack.requests.next();
    assert.equal(tx.request.method, method);
    ok(tx);
    assert.match(await phone.inbox.next(), new RegExp(`CSeq: 1 ${method}`));
  }
  await phone.close();
});

test('RFC 5923 §5: requests to one address and port share a connection, whoever opened it', async () => {
  const hop = { protocol: 'tcp', address: '127.0.0.1', port: server.port } as const;
  const first = send(hop);
  const connection = await server.connections.next();
  const request = await connection.inbox.next();
  assert.match(
    headerOf(request, 'Via') ?? '',
    new RegExp(`^SIP/2\\.0/TCP 127\\.0\\.0\\.1:${stack.port('tcp')};`),
  );
  connection.send(responseText(request, 200));
  assert.equal((await first.responses.next()).statusCode, 200);
  send(hop);
  await connection.inbox.next();
  assert.equal(server.accepted, 1);
  connection.send(overTcp());
  const { source } = await stack.requests.next();
  const phone = await RawTcp.connect(stack.port('tcp'));
  phone.send(overTcp());
  const tx = await stack.requests.next();
  assert.notEqual(tx.source.flow, source.flow);
  send({ protocol: 'tcp', address: '127.0.0.1', port: phone.localPort });
  assert.match(await phone.inbox.next(), /^OPTIONS /);
  await phone.close();
});

test('RFC 5626 §5.3: a hop with a flow uses that connection, and the address when it is gone', async () => {
  const phone = await RawTcp.connect(stack.port('tcp'));
  phone.send(overTcp());
  const { source } = await stack.requests.next();
  assert.ok(source.flow !== undefined);
  const hop = { protocol: 'tcp', address: '127.0.0.1', port: server.port, flow: source.flow } as const;
  const user = send(hop);
  const request = await phone.inbox.next();
  phone.send(responseText(request, 200));
  assert.equal((await user.responses.next()).statusCode, 200);
  await phone.close();
  await waitFor('0 connections', () => stack.transport.connectionCount === 0);
  send(hop);
  const connection = await server.connections.next();
  assert.match(await connection.inbox.next(), /^OPTIONS /);
});

test('RFC 3261 §18.4: a refused connection fails the request at once', async () => {
  const dead = await RawTcpServer.listen();
  const { port } = dead;
  await dead.close();
  const user = send({ protocol: 'tcp', address: '127.0.0.1', port }, { method: 'INVITE' });
  assert.equal(await user.failures.next(1000), 'transport');
  assert.equal(stack.transport.counters.connectFailures, 1);
});

test('RFC 3261 §17.1.4: a connection the peer closed on us is opened anew once, then the request fails', async () => {
  const hop = { protocol: 'tcp', address: '127.0.0.1', port: server.port } as const;
  const user = send(hop, { method: 'INVITE' });
  const first = await server.connections.next();
  const invite = await first.inbox.next();
  first.socket.destroy();
  const second = await server.connections.next();
  assert.equal(await second.inbox.next(), invite);
  second.socket.destroy();
  assert.equal(await user.failures.next(), 'transport');
});

test('RFC 3261 §17.1.1.2: over TCP nothing is repeated, the INVITE ends at 64*T1', async () => {
  const user = send({ protocol: 'tcp', address: '127.0.0.1', port: server.port }, { method: 'INVITE' });
  const connection = await server.connections.next();
  await connection.inbox.next();
  assert.equal(await user.failures.next(), 'timeout');
  assert.equal(connection.inbox.size, 0);
});

test('RFC 5626 §3.5.1: CRLFCRLF is answered by CRLF', async () => {
  const phone = await RawTcp.connect(stack.port('tcp'));
  phone.send('\r\n\r\n');
  assert.equal(await phone.inbox.next(), '\r\n');
  phone.send(`${overTcp()}\r\n\r\n`);
  assert.equal(await phone.inbox.next(), '\r\n');
  await phone.close();
});

test('UDP and TCP listeners share nothing but the layer', async () => {
  const udp = await RawUdp.open();
  udp.send(requestText(), stack.port('udp'));
  assert.equal((await stack.requests.next()).source.protocol, 'udp');
  await udp.close();
});
