import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { type Engine, startEngine } from '../../../src/engine/engine.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { connectEngine, type SignallingConnection } from '../../../src/signalling/connection.js';
import { installFallbacks } from '../../support/install-fallbacks.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { headerOf, requestText, statusOf } from '../../support/sip-text.js';

let engine: Engine;
let connection: SignallingConnection;
let phone: RawUdp;

before(async () => {
  const sipListen = [{ protocol: 'udp' as const, address: '127.0.0.1', port: 0 }];
  engine = await startEngine({ sipListen, admin: { port: 0, secret: 's' } });
  const log = silentLogger;
  connection = await connectEngine({ host: '127.0.0.1', port: engine.adminPort, secret: 's', log });
  installFallbacks(connection, { supported: ['timer'] });
});

after(async () => {
  await connection.close();
  await engine.close();
});

beforeEach(async () => {
  phone = await RawUdp.open();
});

afterEach(() => phone.close());

async function ask(method: string, toTag?: string, headers: readonly string[] = []): Promise<string> {
  phone.send(
    requestText({
      via: `SIP/2.0/UDP 127.0.0.1:${phone.port};rport`,
      method,
      headers: [`Contact: <sip:alice@127.0.0.1:${phone.port}>`, 'Event: presence', ...headers],
      ...(toTag === undefined ? {} : { toTag }),
    }),
    engine.listeners[0]!.port,
  );
  return phone.inbox.next();
}

test('RFC 3261 §11.2: OPTIONS tells what the server can do', async () => {
  const answer = await ask('OPTIONS');
  assert.equal(statusOf(answer), 200);
  assert.match(headerOf(answer, 'Allow') ?? '', /INVITE, ACK, CANCEL, BYE/);
  assert.equal(headerOf(answer, 'Accept'), 'application/sdp');
  assert.equal(headerOf(answer, 'Supported'), 'timer');
});

test('RFC 3261 §8.2.2.3: OPTIONS that requires what we do not have is 420 with Unsupported', async () => {
  const answer = await ask('OPTIONS', undefined, ['Require: timer, nothing-we-know']);
  assert.equal(statusOf(answer), 420);
  assert.equal(headerOf(answer, 'Unsupported'), 'nothing-we-know');
});

for (const method of ['BYE', 'UPDATE', 'PRACK', 'INFO', 'NOTIFY', 'REFER', 'OPTIONS', 'MESSAGE', 'SUBSCRIBE'])
  test(`RFC 3261 §12.2.2: ${method} of a dialog that is not there is 481`, async () => {
    assert.equal(statusOf(await ask(method, 'gone')), 481);
  });

for (const method of ['MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'NEWTHING'])
  test(`RFC 3261 §8.2.1, §20.5: ${method} is 405 with Allow`, async () => {
    const answer = await ask(method);
    assert.equal(statusOf(answer), 405);
    assert.ok(headerOf(answer, 'Allow'));
  });

for (const method of ['BYE', 'UPDATE', 'PRACK', 'INFO', 'NOTIFY', 'REFER', 'CANCEL'])
  test(`every request has its final answer: ${method} outside a dialog`, async () => {
    assert.equal(statusOf(await ask(method)), 481);
  });

test('RFC 3261 §17: an ACK that belongs to nothing is not answered', async () => {
  const to = engine.listeners[0]!.port;
  phone.send(
    requestText({ via: `SIP/2.0/UDP 127.0.0.1:${phone.port};rport`, method: 'ACK', toTag: 'x' }),
    to,
  );
  assert.equal(statusOf(await ask('OPTIONS')), 200, 'the first answer is that to OPTIONS');
  assert.equal(phone.inbox.size, 0);
});
