import assert from 'node:assert/strict';
import { get } from 'node:http';
import { after, before, describe, test } from 'node:test';
import type { Hop } from '../../../src/engine/types.js';
import { createResponse } from '../../../src/sip/response.js';
import { Certificates, type KeyPair } from '../../support/certificates.js';
import { missing } from '../../support/peers.js';
import { RawTcp } from '../../support/raw-sockets.js';
import {
  FAST_TIMERS,
  RecordingClientUser,
  requestFrom,
  type Stack,
  type StackOptions,
  startStack,
} from '../../support/sip-stack.js';
import { headerOf, type RequestText, requestText, responseText, statusOf } from '../../support/sip-text.js';
import { waitFor } from '../../support/wait-for.js';
import { WsPeer } from '../../support/ws-peer.js';

const VIA = 'SIP/2.0/WS df7jal23ls0d.invalid';
const overWs = (options: RequestText = {}): string => requestText({ via: VIA, ...options });

async function withStack(options: StackOptions, use: (stack: Stack) => Promise<void>): Promise<void> {
  const stack = await startStack({
    listeners: [{ protocol: 'ws', address: '127.0.0.1', port: 0 }],
    timers: FAST_TIMERS,
    ...options,
  });
  try {
    await use(stack);
  } finally {
    await stack.close();
  }
}

const connect = (stack: Stack, options?: Parameters<typeof WsPeer.connect>[1]): Promise<WsPeer> =>
  WsPeer.connect(`ws://127.0.0.1:${stack.port('ws')}/`, options);

function send(stack: Stack, hop: Hop, method = 'MESSAGE'): RecordingClientUser {
  const user = new RecordingClientUser();
  stack.transactions.createClient(requestFrom(requestText({ method })), hop, user);
  return user;
}

test('RFC 7118 §4.2: a request by WebSocket, as text or binary, is answered on its connection', async () => {
  await withStack({}, async (stack) => {
    const phone = await connect(stack);
    assert.equal(phone.webSocket.protocol, 'sip');
    assert.equal(phone.webSocket.extensions, '');
    for (const wrap of [(text: string) => text, (text: string) => Buffer.from(text)]) {
      phone.send(wrap(overWs()));
      const tx = await stack.requests.next();
      assert.equal(tx.source.protocol, 'ws');
      tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
      const response = await phone.inbox.next();
      assert.equal(statusOf(response), 200);
      assert.match(
        headerOf(response, 'Via') ?? '',
        /^SIP\/2\.0\/WS df7jal23ls0d\.invalid;.*received=127\.0\.0\.1/,
      );
    }
    await phone.close();
  });
});

test('RFC 7118 §5.1: Content-Length may be left out; text beyond it is no second message', async () => {
  await withStack({}, async (stack) => {
    const phone = await connect(stack);
    phone.send(overWs({ method: 'MESSAGE', body: 'hello' }).replace(/Content-Length: \d+\r\n/, ''));
    assert.equal((await stack.requests.next()).request.body.toString(), 'hello');
    phone.send(overWs({ method: 'INFO' }) + overWs({ method: 'OPTIONS' }));
    assert.equal((await stack.requests.next()).request.method, 'INFO');
    phone.send(overWs({ method: 'PUBLISH' }));
    assert.equal((await stack.requests.next()).request.method, 'PUBLISH');
    await phone.close();
  });
});

test('RFC 7118 §4.2: what is no UTF-8 leaves as a binary message, all else as text', async () => {
  await withStack({}, async (stack) => {
    const phone = await connect(stack);
    phone.send(overWs());
    const { source } = await stack.requests.next();
    const kinds: boolean[] = [];
    phone.webSocket.on('message', (_data, isBinary) => kinds.push(isBinary));
    for (const body of [Buffer.from('grüß'), Buffer.from([0xff, 0xfe])]) {
      const request = requestFrom(requestText({ method: 'MESSAGE' }));
      request.body = body;
      stack.transactions.createClient(request, source, new RecordingClientUser());
      await phone.inbox.next();
    }
    assert.deepEqual(kinds, [false, true]);
    await phone.close();
  });
});

test('RFC 5626 §5.3.1: requests to a WebSocket phone go down its connection; without it they fail, nobody is dialled', async () => {
  await withStack({}, async (stack) => {
    const phone = await connect(stack);
    phone.send(overWs());
    const { source } = await stack.requests.next();
    const byFlow = send(stack, source);
    const request = await phone.inbox.next();
    assert.match(
      headerOf(request, 'Via') ?? '',
      new RegExp(`^SIP/2\\.0/WS 127\\.0\\.0\\.1:${stack.port('ws')};branch=`),
    );
    phone.send(responseText(request, 200));
    assert.equal((await byFlow.responses.next()).statusCode, 200);
    const { protocol, address, port } = source;
    send(stack, { protocol, address, port });
    await phone.inbox.next();
    await phone.close();
    await waitFor('0 connections', () => stack.transport.connectionCount === 0);
    assert.equal(await send(stack, source).failures.next(), 'flow');
    assert.equal(stack.transport.counters.connectionsOpened, 0);
  });
});

test('RFC 7118 §4.1, RFC 6455 §4.2, RFC 9110 §15.5.22: an upgrade without the subprotocol sip is refused with 400, a plain request with 426', async () => {
  await withStack({}, async (stack) => {
    for (const protocols of [[], ['mqtt', 'xmpp']])
      await assert.rejects(connect(stack, { protocols }), /refused: 400/);
    const phone = await connect(stack, { protocols: ['xmpp', 'sip'] });
    assert.equal(phone.webSocket.protocol, 'sip');
    await phone.close();
    const status = await new Promise((resolve) => {
      get(`http://127.0.0.1:${stack.port('ws')}/`, (response) => {
        response.resume();
        resolve(`${response.statusCode} ${response.headers.upgrade}`);
      });
    });
    assert.equal(status, '426 websocket');
    const rude = await RawTcp.connect(stack.port('ws'));
    rude.send(overWs());
    await rude.closed;
    assert.equal(stack.transport.counters.webSocketsRefused, 4);
  });
});

test('RFC 6455 §10.2: pages of other origins than those allowed are refused with 403', async () => {
  await withStack({ origins: ['https://phone.example'] }, async (stack) => {
    await assert.rejects(connect(stack, { origin: 'https://evil.example' }), /refused: 403/);
    const browser = await connect(stack, { origin: 'https://PHONE.example' });
    const phone = await connect(stack);
    await Promise.all([browser.close(), phone.close()]);
  });
});

test('RFC 7118 §6: pings and CRLFCRLF are answered; a peer that does not answer ours is given up', async () => {
  const transportLimits = { pingIntervalMs: 100, sweepIntervalMs: 20 };
  await withStack({ transportLimits }, async (stack) => {
    const phone = await connect(stack);
    phone.send(overWs());
    await stack.requests.next();
    phone.webSocket.ping();
    await new Promise((resolve) => phone.webSocket.once('pong', resolve));
    phone.send('\r\n\r\n');
    assert.equal(await phone.inbox.next(), '\r\n');
    const deaf = await connect(stack, { autoPong: false });
    deaf.send(overWs());
    await stack.requests.next();
    await deaf.closed;
    assert.equal(stack.transport.counters.idleClosed, 1);
    await new Promise((resolve) => phone.webSocket.once('ping', resolve));
    assert.equal(phone.webSocket.readyState, phone.webSocket.OPEN);
    await phone.close();
  });
});

test('a browser behind a proxy that ends TLS says WSS and is heard', async () => {
  await withStack({}, async (stack) => {
    const phone = await connect(stack);
    phone.send(overWs({ via: 'SIP/2.0/WSS x.invalid' }));
    const tx = await stack.requests.next();
    tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
    assert.match(headerOf(await phone.inbox.next(), 'Via') ?? '', /^SIP\/2\.0\/WSS x\.invalid/);
    phone.send(overWs({ via: 'SIP/2.0/TCP x.invalid' }));
    await waitFor('the drop', () => stack.transport.counters.viaDropped === 1);
    await phone.close();
  });
});

describe('bounds on WebSocket peers', () => {
  test('an upgrade that is not done in time, in whatever way, is cut', async () => {
    await withStack({ transportLimits: { handshakeTimeoutMs: 150, sweepIntervalMs: 20 } }, async (stack) => {
      const silent = await RawTcp.connect(stack.port('ws'));
      const slow = await RawTcp.connect(stack.port('ws'));
      slow.send('GET / HTTP/1.1\r\nHost: x\r\n');
      const timer = setInterval(() => slow.send('X: y\r\n'), 20);
      await Promise.all([silent.closed, slow.closed]);
      clearInterval(timer);
      assert.equal(stack.transport.counters.handshakeTimeouts, 2);
    });
  });

  test('a message in frames that never ends costs the connection, as does one that is too long', async () => {
    const transportLimits = { partialMessageTimeoutMs: 150, sweepIntervalMs: 20 };
    await withStack({ transportLimits }, async (stack) => {
      const slow = await connect(stack);
      slow.send(overWs());
      await stack.requests.next();
      const timer = setInterval(() => slow.webSocket.send('X', { fin: false }), 20);
      await slow.closed;
      clearInterval(timer);
      assert.equal(stack.transport.counters.slowSendersClosed, 1);
      const long = await connect(stack);
      long.send('X'.repeat(1024 * 1024));
      assert.equal(await long.closed, 1009);
    });
  });

  test('rubbish is counted and survived sixteen times', async () => {
    await withStack({}, async (stack) => {
      const phone = await connect(stack);
      for (let count = 0; count < 15; count++) phone.send('rubbish');
      phone.send(overWs());
      await stack.requests.next();
      assert.equal(stack.transport.counters.parseErrors, 15);
      phone.send('rubbish');
      assert.equal(await phone.closed, 1002);
    });
  });
});

describe('SIP over secure WebSocket', { skip: missing('openssl') }, () => {
  let files: Certificates;
  let ours: KeyPair;

  before(() => {
    files = new Certificates();
    ours = files.selfSigned('IP:127.0.0.1', 'IP:::1');
  });

  after(() => files.close());

  for (const host of ['127.0.0.1', '::1'])
    test(`RFC 7118 §9, RFC 7118 §5.2.1: a request by wss is answered, and requests go down its connection, ${host}`, async () => {
      const listeners = [{ protocol: 'wss', address: host, port: 0 }] as const;
      await withStack({ listeners, tls: ours }, async (stack) => {
        const text = host === '::1' ? '[::1]' : host;
        const phone = await WsPeer.connect(`wss://${text}:${stack.port('wss')}/ws`, {
          ca: ours.certificate,
          rejectUnauthorized: true,
        });
        phone.send(overWs({ via: 'SIP/2.0/WSS x.invalid' }));
        const tx = await stack.requests.next();
        assert.equal(tx.source.protocol, 'wss');
        tx.respond(createResponse(tx.request, 200, 'OK', 'u1'));
        assert.equal(statusOf(await phone.inbox.next()), 200);
        send(stack, tx.source);
        const request = await phone.inbox.next();
        assert.ok(headerOf(request, 'Via')?.startsWith(`SIP/2.0/WSS ${text}:${stack.port('wss')};`));
        await phone.close();
      });
    });

  test('a TLS handshake without an upgrade behind it is cut in time', async () => {
    const listeners = [{ protocol: 'wss', address: '127.0.0.1', port: 0 }] as const;
    const transportLimits = { handshakeTimeoutMs: 200, sweepIntervalMs: 20 };
    await withStack({ listeners, tls: ours, transportLimits }, async (stack) => {
      const phone = await RawTcp.connectTls(stack.port('wss'));
      await phone.closed;
      assert.equal(stack.transport.counters.handshakeTimeouts, 1);
    });
  });
});
