import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { type RunningRelay, startRelay } from '../../../src/media/relay/start-relay.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { ControlClient } from '../../support/control-client.js';
import { freePorts } from '../../support/free-ports.js';
import { RtpPhone } from '../../support/rtp-phone.js';
import { waitFor } from '../../support/wait-for.js';

const PORTS = await freePorts(40);

/** What a stranger's description can do to the relay itself. */
describe('built-in relay and targets of its own', () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part.close();
  });

  async function setUp(): Promise<{ relay: RunningRelay; control: ControlClient; phone: RtpPhone }> {
    const options = { bindAddress: '127.0.0.1', ports: PORTS, clock: systemClock, log: silentLogger };
    const relay = await startRelay({ control: ['udp:127.0.0.1:0'], ...options });
    const control = await ControlClient.open(relay.controlUrls[0]!);
    const phone = await RtpPhone.open(1);
    open.push(relay, control, phone);
    return { relay, control, phone };
  }

  /** A call whose parties say the relay's ports of the other side are theirs. */
  async function ring(control: ControlClient, phone: RtpPhone): Promise<number[]> {
    const toB = await control.port(`U ring 127.0.0.1 ${phone.port} a;0`);
    const toA = await control.port(`L ring 127.0.0.1 ${phone.port} a;0 b;0`);
    await control.port(`U ring 127.0.0.1 ${toB} a;0 b;0`);
    await control.port(`L ring 127.0.0.1 ${toA} a;0 b;0`);
    return [toA, toB];
  }

  it('sends no packet round in a ring of its own ports', async () => {
    const { relay, control, phone } = await setUp();
    const ports = await ring(control, phone);
    for (const port of ports) for (let i = 0; i < 5; i++) phone.sendRtp(port);
    await waitFor('the packets', () => relay.stats().packetsReceived >= 10);
    // A packet that goes round comes back faster than a command is answered.
    for (let i = 0; i < 5; i++) await control.command('V');
    const { packetsReceived, targetsRefused } = relay.stats();
    assert.ok(packetsReceived <= 20, `${packetsReceived} packets received of 10 sent`);
    assert.ok(targetsRefused > 0);
  });

  it('sends no packet round in a ring of two calls', async () => {
    const { relay, control, phone } = await setUp();
    const legs = [];
    for (const name of ['one', 'two']) {
      const toB = await control.port(`U ${name} 127.0.0.1 ${phone.port} a;0`);
      const toA = await control.port(`L ${name} 127.0.0.1 ${phone.port} a;0 b;0`);
      legs.push({ name, toA, toB });
    }
    const [one, two] = legs as [(typeof legs)[0], (typeof legs)[0]];
    for (const [own, other] of [
      [one, two],
      [two, one],
    ] as const) {
      await control.port(`U ${own.name} 127.0.0.1 ${other.toB} a;0 b;0`);
      await control.port(`L ${own.name} 127.0.0.1 ${other.toA} a;0 b;0`);
    }
    for (const port of [one.toA, one.toB, two.toA, two.toB]) phone.sendRtp(port);
    await waitFor('the packets', () => relay.stats().packetsReceived >= 4);
    for (let i = 0; i < 5; i++) await control.command('V');
    assert.ok(relay.stats().packetsReceived <= 16, `${relay.stats().packetsReceived} packets`);
  });

  it('RFC 5853 §3.1.1: carries a call that passes it twice', async () => {
    const { control, phone: alice } = await setUp();
    const bob = await RtpPhone.open(2);
    open.push(bob);
    // Alice - first pass - somewhere else - second pass - Bob; nobody between the two touches the description.
    const firstOut = await control.port(`U first 127.0.0.1 ${alice.port} a;0`);
    const secondOut = await control.port(`U second 127.0.0.1 ${firstOut} a;0`);
    const secondIn = await control.port(`L second 127.0.0.1 ${bob.port} a;0 b;0`);
    const firstIn = await control.port(`L first 127.0.0.1 ${secondIn} a;0 b;0`);
    for (let i = 0; i < 3; i++) {
      alice.sendRtp(firstIn);
      await bob.receive(i + 1);
      bob.sendRtp(secondOut);
      await alice.receive(i + 1);
    }
    assert.deepEqual([bob.countFrom(1), alice.countFrom(2)], [3, 3]);
  });

  it('never sends media to its control socket', async () => {
    const { relay, control, phone } = await setUp();
    const controlPort = Number(relay.controlUrls[0]!.split(':').at(-1));
    await control.port(`U cmd 127.0.0.1 ${phone.port} a;0`);
    const toA = await control.port(`L cmd 127.0.0.1 ${controlPort} a;0 b;0`);
    // A cookie and the command that deletes every call.
    for (let i = 0; i < 3; i++) phone.send(Buffer.from('1 X'), toA);
    await waitFor('the packets', () => relay.stats().packetsReceived === 3);
    for (let i = 0; i < 5; i++) await control.command('V');
    assert.equal(relay.stats().activeSessions, 1);
    assert.equal(relay.stats().targetsRefused, 1);
  });
});
