import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { type Engine, startEngine } from '../../../src/engine/engine.js';
import { silentLogger } from '../../../src/platform/logger.js';
import {
  connectEngine,
  type EngineConnectionOptions,
  type SignallingConnection,
} from '../../../src/signalling/connection.js';
import { BadRequestError } from '../../../src/signalling/errors.js';
import { respond } from '../../../src/signalling/respond.js';
import { freeTcpPort } from '../../support/free-port.js';
import { Inbox } from '../../support/inbox.js';
import { installFallbacks } from '../../support/install-fallbacks.js';
import { ManualClock } from '../../support/manual-clock.js';
import { missing } from '../../support/peers.js';
import { RawUdp } from '../../support/raw-sockets.js';
import { ScriptedEngine } from '../../support/scripted-engine.js';
import { requestText, statusOf } from '../../support/sip-text.js';
import { tlsFront as openTlsFront } from '../../support/tls-front.js';
import { waitFor } from '../../support/wait-for.js';

const SECRET = 'a-secret';
const cleanUps: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function engineAt(port = 0, secret = SECRET): Promise<Engine> {
  const sipListen = [{ protocol: 'udp' as const, address: '127.0.0.1', port: 0 }];
  const engine = await startEngine({ sipListen, admin: { port, secret } });
  cleanUps.push(() => engine.close());
  return engine;
}

async function scripted(): Promise<ScriptedEngine> {
  const engine = await ScriptedEngine.listen();
  cleanUps.push(() => engine.close());
  return engine;
}

async function tlsFront(port: number) {
  const front = await openTlsFront(port);
  cleanUps.push(() => front.close());
  return front;
}

async function connect(
  port: number,
  more: Partial<EngineConnectionOptions> = {},
): Promise<SignallingConnection> {
  const connection = await connectEngine({
    host: '127.0.0.1',
    port,
    secret: SECRET,
    log: silentLogger,
    firstWaitMs: 5000,
    ...more,
  });
  cleanUps.push(() => connection.close());
  return connection;
}

/** Sends OPTIONS and resolves the status that comes back. */
async function options(engine: Engine): Promise<number | undefined> {
  const phone = await RawUdp.open();
  try {
    phone.send(requestText({ via: `SIP/2.0/UDP 127.0.0.1:${phone.port};rport` }), engine.listeners[0]!.port);
    return statusOf(await phone.inbox.next());
  } finally {
    await phone.close();
  }
}

test('a connection knows the engine’s listeners and leaves nothing behind when closed', async () => {
  const engine = await engineAt();
  const connection = await connect(engine.adminPort);
  assert.equal(connection.connected, true);
  assert.deepEqual(
    connection.hostports.map(({ protocol, port }) => [protocol, port]),
    [['udp', engine.listeners[0]!.port]],
  );
  assert.match(connection.engineVersion, /^v/);
  assert.equal(connection.description, `drachtio://127.0.0.1:${engine.adminPort}`);
  await connection.close();
  await connection.close();
  assert.equal(connection.connected, false);
  await waitFor('the engine to see it gone', () => engine.stats().applications === 0);
});

test('a wrong secret is told at once and not tried again', async () => {
  const engine = await engineAt();
  await assert.rejects(connect(engine.adminPort, { secret: 'wrong' }), {
    code: 'ENGINE_SECRET_REFUSED',
    message: /refused the secret/,
  });
  await waitFor('the engine to see it gone', () => engine.stats().applications === 0);
});

test('an engine that is not there is told after the wait; one that starts meanwhile is taken', async () => {
  const port = await freeTcpPort();
  await assert.rejects(connect(port, { firstWaitMs: 100 }), {
    code: 'ENGINE_UNREACHABLE',
    message: new RegExp(`127\\.0\\.0\\.1:${port}`),
  });
  const connecting = connect(port);
  const engine = await engineAt(port);
  const connection = await connecting;
  assert.equal(connection.connected, true);
  assert.equal(engine.stats().applications, 1);
});

test('an engine that went away comes back: listeners hear it, requests flow again', async () => {
  const engine = await engineAt();
  const port = engine.adminPort;
  const connection = await connect(port);
  installFallbacks(connection);
  const states = new Inbox<{ connected: boolean; reason: string | undefined }>();
  connection.onStateChange((connected, reason) => states.push({ connected, reason }));
  await waitFor('requests to flow', async () => (await options(engine)) === 200);
  await engine.close();
  const gone = await states.next();
  assert.equal(gone.connected, false);
  assert.ok(gone.reason);
  assert.equal(connection.connected, false);
  const next = await engineAt(port);
  assert.equal((await states.next()).connected, true);
  await waitFor('requests to flow', async () => (await options(next)) === 200);
});

/** A clock that stands still and notes what is waited for. */
class NotingClock extends ManualClock {
  readonly delays: number[] = [];

  override setTimeout(fn: () => void, delayMs: number): number {
    this.delays.push(delayMs);
    return super.setTimeout(fn, delayMs);
  }
}

test('a secret that is refused later is tried again with a back-off that doubles up to ten seconds', async () => {
  const clock = new NotingClock();
  const engine = await scripted();
  const connecting = connect(engine.port, { clock });
  const first = await engine.authenticate();
  const connection = await connecting;
  first.socket.destroy();
  await waitFor('the loss', () => !connection.connected);
  const backOff: number[] = [];
  for (let round = 0; round < 8; round++) {
    const before = clock.delays.length;
    backOff.push(clock.delays.at(-1)!);
    clock.advance(clock.delays.at(-1)!);
    const refused = await engine.authenticate('NO|incorrect secret');
    refused.socket.end();
    // One timer for the attempt itself, then the one for the next attempt.
    await waitFor('the next attempt to be planned', () => clock.delays.length === before + 2);
  }
  assert.deepEqual(backOff, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  assert.equal(connection.connected, false);
});

test('an engine that accepts and says nothing is given up after ten seconds and tried again', async () => {
  const clock = new NotingClock();
  const engine = await scripted();
  const connecting = connect(engine.port, { clock });
  const silent = await engine.frames.next();
  assert.equal(silent.fields[0], 'authenticate');
  clock.advance(10_000);
  await waitFor('the attempt to be given up', () => silent.socket.destroyed);
  await waitFor('the next attempt to be planned', () => clock.delays.at(-1) === 250);
  clock.advance(250);
  await engine.authenticate();
  assert.equal((await connecting).connected, true);
});

test('an engine that falls silent without closing is noticed', async () => {
  const clock = new ManualClock();
  const engine = await scripted();
  const connecting = connect(engine.port, { clock });
  const { socket } = await engine.authenticate();
  const connection = await connecting;
  for (let i = 0; i < 3; i++) {
    clock.advance(15_000);
    assert.equal(socket.destroyed, false);
  }
  clock.advance(15_000);
  await waitFor('the connection to be given up', () => !connection.connected);
});

test('closing does not wait for an engine that is out of reach', async () => {
  const engine = await scripted();
  const connecting = connect(engine.port, { firstWaitMs: 200 });
  await assert.rejects(connecting, { code: 'ENGINE_UNREACHABLE' });
  await waitFor('the sockets to be closed', () => engine.sockets.every((socket) => socket.destroyed));
  assert.equal(engine.sockets.length, 1);
});

test('TLS to the engine, kept after the connection was lost', { skip: missing('openssl') }, async () => {
  const engine = await engineAt();
  const front = await tlsFront(engine.adminPort);
  const connection = await connect(front.port, { tls: { ca: front.certificate, servername: 'localhost' } });
  installFallbacks(connection);
  await waitFor('requests to flow', async () => (await options(engine)) === 200);
  const states = new Inbox<boolean>();
  connection.onStateChange((connected) => states.push(connected));
  front.dropAll();
  assert.equal(await states.next(), false);
  assert.equal(await states.next(), true);
  await waitFor('requests to flow again', async () => (await options(engine)) === 200);
  await assert.rejects(connect(front.port, { tls: {}, firstWaitMs: 600 }), { code: 'ENGINE_UNREACHABLE' });
});

test('a handler that throws or rejects leaves no request without its final answer', async () => {
  const engine = await engineAt();
  const connection = await connect(engine.adminPort);
  connection.on('OPTIONS', () => {
    throw new Error('a mistake');
  });
  connection.on('MESSAGE', async () => {
    await Promise.resolve();
    throw new BadRequestError('Bad Something\r\nX-Evil: 1', 488);
  });
  assert.throws(() => connection.on('options', () => undefined), /handler already/);
  await waitFor('500 for the mistake', async () => (await options(engine)) === 500);
  const phone = await RawUdp.open();
  cleanUps.push(() => phone.close());
  const via = `SIP/2.0/UDP 127.0.0.1:${phone.port};rport`;
  phone.send(requestText({ via, method: 'MESSAGE' }), engine.listeners[0]!.port);
  const answer = await phone.inbox.next();
  assert.match(answer, /^SIP\/2\.0 488 Bad Something X-Evil: 1\r\n/);
  assert.doesNotMatch(answer, /^X-Evil/m);
});

test('a response under way when the engine is lost is rejected, not forgotten', async () => {
  const engine = await scripted();
  const connecting = connect(engine.port);
  const { socket } = await engine.authenticate();
  const connection = await connecting;
  const outcome = new Inbox<unknown>();
  connection.on('OPTIONS', async (_req, res) => {
    await respond(res, 200).then(
      () => outcome.push('sent'),
      (error) => outcome.push(error.code),
    );
  });
  const request = requestText({ method: 'OPTIONS' });
  engine.send(
    socket,
    `sip|network|${request.length}|udp|127.0.0.1|5060|00:00:00.000000|t1||127.0.0.1|5060|\r\n${request}`,
  );
  let frame = await engine.frames.next();
  while (frame.fields[0] !== 'sip') frame = await engine.frames.next();
  socket.destroy();
  assert.equal(await outcome.next(), 'ENGINE_LOST');
});
