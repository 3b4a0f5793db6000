import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { createMediaRelay } from '../../../src/media/create.js';
import { startRelayWorker } from '../../../src/media/relay/host.js';
import type { RelayOptions } from '../../../src/media/relay/relay-options.js';
import { type RunningRelay, startRelay } from '../../../src/media/relay/start-relay.js';
import { createRtpProxyRelay } from '../../../src/media/rtpproxy/rtpproxy-relay.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ControlClient } from '../../support/control-client.js';
import { freePorts } from '../../support/free-ports.js';
import { RtpPhone } from '../../support/rtp-phone.js';
import { audioSdp, portsOf } from '../../support/sdp-samples.js';

const PORTS = await freePorts(40);
const PEER = { signallingAddress: '127.0.0.1' };

describe('built-in relay', () => {
  const open: { close(): unknown }[] = [];

  async function relayWith(
    options: Partial<RelayOptions> = {},
  ): Promise<{ relay: RunningRelay; control: ControlClient }> {
    const relay = await startRelay({
      control: ['udp:127.0.0.1:0'],
      bindAddress: '127.0.0.1',
      ports: PORTS,
      clock: systemClock,
      log: silentLogger,
      ...options,
    });
    const control = await ControlClient.open(relay.controlUrls[0]!);
    open.push(relay, control);
    return { relay, control };
  }

  async function phone(ssrc: number, address?: string): Promise<RtpPhone> {
    const made = await RtpPhone.open(ssrc, address);
    open.push(made);
    return made;
  }

  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part.close();
  });

  it('does not let a stranger in before the phone has spoken', async () => {
    const { relay, control } = await relayWith();
    const [alice, bob, stranger] = [await phone(1), await phone(2), await phone(3, '127.0.0.2')];
    const toB = await control.port(`U early 127.0.0.1 ${alice.port} a;0`);
    const toA = await control.port(`L early 127.0.0.1 ${bob.port} a;0 b;0`);
    for (let i = 0; i < 3; i++) stranger.sendRtp(toA);
    for (let i = 0; i < 3; i++) stranger.sendRtp(toB);
    alice.sendRtp(toA);
    await bob.receive();
    bob.sendRtp(toB);
    await alice.receive();
    assert.equal(bob.countFrom(3) + alice.countFrom(3) + stranger.arrivals.length, 0);
    assert.equal(relay.stats().packetsDropped, 6);
    assert.equal(await control.command('Q early a;0 b;0 npkts_ina npkts_ino ndropped'), '1 1 6');
  });

  it('gives a phone its stream back when another on the same address spoke first', async () => {
    const { control } = await relayWith();
    const [alice, bob, other] = [await phone(1), await phone(2), await phone(3)];
    const toB = await control.port(`U same 127.0.0.1 ${alice.port} a;0`);
    const toA = await control.port(`L same 127.0.0.1 ${bob.port} a;0 b;0`);
    other.sendRtp(toA);
    await bob.receive();
    alice.sendRtp(toA);
    await bob.receive(2);
    other.sendRtp(toA);
    bob.sendRtp(toB);
    await alice.receive();
    assert.equal(other.arrivals.length, 0);
  });

  it('hears a phone behind NAT from where its signalling comes, and nobody else', async () => {
    const { control } = await relayWith();
    assert.equal(await control.command('VF ims-media-1'), '1');
    const [alice, bob] = [await phone(1, '127.0.0.5'), await phone(2)];
    const stranger = await phone(3, '127.0.0.6');
    const toB = await control.port(`Uh127.0.0.5 nat 192.168.77.5 4000 a;0`);
    const toA = await control.port(`L nat 127.0.0.1 ${bob.port} a;0 b;0`);
    stranger.sendRtp(toA);
    alice.sendRtp(toA);
    await bob.receive();
    bob.sendRtp(toB);
    await alice.receive();
    assert.equal(bob.countFrom(3), 0);
    assert.equal(
      await control.command('Q nat a;0 b;0 nbytes_ina nbytes_ino addr_ina addr_ino'),
      `172 172 127.0.0.5:${alice.port} 127.0.0.1:${bob.port}`,
    );
  });

  it('learns any first sender when told to trust', async () => {
    const { control } = await relayWith({ trustAnySource: true });
    const [alice, bob] = [await phone(1, '127.0.0.7'), await phone(2)];
    const toA = await control
      .port('U open 192.0.2.1 4000 a;0')
      .then(() => control.port(`L open 127.0.0.1 ${bob.port} a;0 b;0`));
    alice.sendRtp(toA);
    await bob.receive();
  });

  it('RFC 3264 §8.3.1: goes on as before when a re-INVITE with another port is refused', async () => {
    const { control } = await relayWith();
    const [alice, bob] = [await phone(1), await phone(2)];
    const toB = await control.port(`U refuse 127.0.0.1 ${alice.port} a;0`);
    const toA = await control.port(`L refuse 127.0.0.1 ${bob.port} a;0 b;0`);
    alice.sendRtp(toA);
    await bob.receive();
    bob.sendRtp(toB);
    await alice.receive();
    await control.port('U refuse 127.0.0.1 9 a;0 b;0');
    bob.sendRtp(toB);
    await alice.receive(2);
    alice.sendRtp(toA);
    await bob.receive(2);
  });

  it('frees the ports of a silent call, all streams together', async () => {
    const { relay, control } = await relayWith({ sessionTimeoutMs: 700 });
    const [alice, bob] = [await phone(1), await phone(2)];
    await control.port('U silent 127.0.0.1 4000 a;0');
    await control.port(`U busy 127.0.0.1 ${alice.port} a;0`);
    const toA = await control.port(`L busy 127.0.0.1 ${bob.port} a;0 b;0`);
    await control.port('U busy 127.0.0.1 4002 a;1');
    const talk = setInterval(() => alice.sendRtp(toA), 100);
    open.push({ close: () => clearInterval(talk) });
    while ((await control.command('Q silent a;0')) !== 'E50')
      await new Promise((resolve) => setTimeout(resolve, 100));
    assert.notEqual(await control.command('Q busy a;1'), 'E50', 'its other stream has packets');
    assert.equal(relay.stats().sessionsTimedOut, 1);
    clearInterval(talk);
    while (relay.stats().activeSessions > 0) await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(relay.stats().freePortPairs, 20);
  });

  it('answers E72 and E71 when the ports are used up, and recovers', async () => {
    const { min } = await freePorts(8);
    const { relay, control } = await relayWith({ ports: { min: min + 1, max: min + 7 } });
    const pairs = relay.stats().freePortPairs;
    assert.equal(pairs, 3, 'an odd first port is not used');
    for (let i = 0; i < pairs; i++) await control.port(`U full 127.0.0.1 4000 a;${i}`);
    assert.equal(await control.command('U full 127.0.0.1 4000 a;9'), 'E72');
    assert.equal(await control.command('L full 127.0.0.1 5000 a;0 b;0'), 'E71');
    await control.command('D full a');
    const port = await control.port('U full 127.0.0.1 4000 a;0');
    assert.ok(port >= min + 2 && port <= min + 6);
  });

  it('passes over ports that somebody else has', async () => {
    const ports = await freePorts(4);
    const blocker = await RtpPhone.open(9, '127.0.0.1', ports.min + 1);
    open.push(blocker);
    const { control } = await relayWith({ ports });
    assert.equal(await control.port('U taken 127.0.0.1 4000 a;0'), ports.min + 2);
    assert.equal(await control.command('U taken 127.0.0.1 4000 a;1'), 'E72');
  });

  it('lets a freed port rest while there are others', async () => {
    const { control } = await relayWith({ ports: await freePorts(20) });
    const seen = new Set<number>();
    for (let i = 0; i < 10; i++) {
      seen.add(await control.port(`U rest${i} 127.0.0.1 4000 a;0`));
      await control.command(`D rest${i} a`);
    }
    assert.equal(seen.size, 10);
  });

  it('answers E98 over its limit of sessions', async () => {
    const { control } = await relayWith({ maxSessions: 1 });
    await control.port('U limit 127.0.0.1 4000 a;0');
    assert.equal(await control.command('U limit 127.0.0.1 4000 a;1'), 'E98');
  });

  it('tells the address it was given, and none when it is bound to all', async () => {
    const told = await relayWith({ bindAddress: '0.0.0.0', advertisedAddress: '198.51.100.1' });
    assert.match(await told.control.command('U told 127.0.0.1 4000 a;0'), /^\d+ 198\.51\.100\.1$/);
    const all = await relayWith({ bindAddress: '0.0.0.0' });
    assert.match(await all.control.command('U all 127.0.0.1 4000 a;0'), /^\d+$/);
  });

  it('carries on through hostile datagrams on its control socket', async () => {
    const { control } = await relayWith();
    for (const junk of [
      '\0',
      '\xff\xfe\xfd',
      'x'.repeat(9_000),
      'a U\0x',
      `q ${'U '.repeat(4_000)}`,
      '&& && &&',
    ]) {
      assert.match(await control.raw(Buffer.from(junk, 'latin1')), /E\d+\n$/);
    }
    const cookie = 'constructor';
    assert.equal(await control.raw(`${cookie} V`), `${cookie} 20040107\n`);
    assert.equal(await control.command('Q __proto__ toString constructor'), 'E50');
    await control.port('U toString 127.0.0.1 4000 __proto__');
    assert.equal(await control.command('Q toString __proto__ x hasOwnProperty'), 'E62');
    assert.equal(await control.command('G constructor'), 'E68');
  });

  it('closes with sessions up, and its ports are free at once', async () => {
    const ports = await freePorts(2);
    const { relay, control } = await relayWith({ ports });
    await control.port('U bye 127.0.0.1 4000 a;0');
    await relay.close();
    const again = await relayWith({ ports });
    assert.equal(await again.control.port('U bye 127.0.0.1 4000 a;0'), ports.min);
  });
});

describe('built-in relay in a worker', () => {
  it('relays for a call, tells its figures, and ends', async () => {
    const worker = await startRelayWorker({ ports: PORTS, bindAddress: '127.0.0.1', log: silentLogger });
    const relay = createRtpProxyRelay([worker.controlUrl], { clock: systemClock, log: silentLogger });
    const [alice, bob] = [await RtpPhone.open(1), await RtpPhone.open(2)];
    const call = relay.open('worker-1');
    await call.offer('a', audioSdp(alice.port), PEER);
    const toA = await call.answer('b', audioSdp(bob.port), PEER);
    alice.sendRtp(portsOf(toA)[0]!);
    await bob.receive();
    assert.equal((await worker.stats()).packetsRelayed, 1);
    const [figures] = await call.close();
    assert.deepEqual(figures, {
      index: 0,
      kind: 'audio',
      codec: 'PCMU/8000',
      relay: worker.controlUrl,
      packetsFromA: 1,
      packetsFromB: 0,
      bytesFromA: 172,
      bytesFromB: 0,
      dropped: 0,
      addressA: `127.0.0.1:${alice.port}`,
    });
    assert.equal((await worker.stats()).activeSessions, 0);
    alice.close();
    bob.close();
    await relay.close();
    await worker.close();
  });

  it('starts again on the same control socket when it has crashed', async () => {
    const worker = await startRelayWorker({ ports: PORTS, bindAddress: '127.0.0.1', log: silentLogger });
    const relay = createRtpProxyRelay([worker.controlUrl], { clock: systemClock, log: silentLogger });
    await relay.open('crash-1').offer('a', audioSdp(4000), PEER);
    await (worker as unknown as { worker: { terminate(): Promise<number> } }).worker.terminate();
    let health = (await relay.health())[0];
    while (!health?.alive) health = (await relay.health())[0];
    assert.equal(health.activeSessions, 0);
    const call = relay.open('crash-2');
    await call.offer('a', audioSdp(4000), PEER);
    await call.close();
    await relay.close();
    await worker.close();
  });

  it('fails when its control socket is taken', async () => {
    const worker = await startRelayWorker({ ports: PORTS, log: silentLogger });
    const control = worker.controlUrl.replace('rtpproxy+udp://', 'udp:');
    await assert.rejects(startRelayWorker({ ports: PORTS, control, log: silentLogger }), {
      code: 'RELAY_FAILED',
    });
    await worker.close();
    await worker.close();
  });
});

describe('createMediaRelay', () => {
  const options = { clock: systemClock, log: silentLogger, address: '127.0.0.1', rtpPorts: PORTS };

  it('starts the built-in relay for `embedded`', async () => {
    const relay = await createMediaRelay('embedded', { ...options, bindAddress: '127.0.0.1' });
    const call = relay.open('embedded-1');
    assert.match(await call.offer('a', audioSdp(4000), PEER), /^c=IN IP4 127\.0\.0\.1\r$/m);
    assert.equal((await call.close())[0]?.relay, 'embedded');
    const [health] = await relay.health();
    assert.deepEqual(health, { name: 'embedded', alive: true, version: '20040107', activeSessions: 0 });
    await relay.close();
    await relay.close();
  });

  it('gives phones that speak IPv6 an IPv6 address', async () => {
    const relay = await createMediaRelay('embedded', { ...options, address6: '2001:db8::1' });
    const call = relay.open('embedded-6');
    const text = await call.offer('a', audioSdp(4000, { address: '::1' }), { signallingAddress: '::1' });
    assert.match(text, /^c=IN IP6 2001:db8::1\r$/m);
    await call.close();
    await relay.close();
  });

  it('takes a list of relays, and nothing else', async () => {
    const relay = await createMediaRelay('rtpproxy+udp://127.0.0.1:1, rtpproxy+unix:///nowhere', options);
    const health = await relay.health();
    assert.deepEqual(
      health.map(({ name, alive }) => [name, alive]),
      [
        ['rtpproxy+udp://127.0.0.1:1', false],
        ['rtpproxy+unix:///nowhere', false],
      ],
    );
    await relay.close();
    for (const setting of ['', 'builtin', 'rtpengine+udp://127.0.0.1:2223', 'embedded,rtpproxy+udp://x']) {
      await assert.rejects(createMediaRelay(setting, options), { code: 'BAD_RELAY_URL' }, setting);
    }
  });
});
