import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RunningRelay } from '../../../src/media/relay/start-relay.js';
import { createRtpProxyRelay } from '../../../src/media/rtpproxy/rtpproxy-relay.js';
import type { MediaRelay, MediaSession, RelayControl } from '../../../src/media/types.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { startSmallRelay } from '../../support/built-in-relay.js';
import { connectedUdpSockets } from '../../support/listening-ports.js';
import { audioSdp } from '../../support/sdp-samples.js';
import { waitFor } from '../../support/wait-for.js';

const PEER = { signallingAddress: '127.0.0.1' };
const USE = { weight: 1, active: true };

describe('relays that are taken out while they have calls', () => {
  const open: { close(): unknown }[] = [];
  let [first, second]: RunningRelay[] = [];
  let relay: MediaRelay;
  let control: RelayControl;

  beforeEach(async () => {
    [first, second] = [await builtIn(), await builtIn()];
    relay = createRtpProxyRelay([], { clock: systemClock, log: silentLogger, address: '127.0.0.1' });
    open.push(relay);
    control = relay.control!;
    control.add('rtp', urlOf(first), USE);
  });
  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part.close();
  });

  async function builtIn(): Promise<RunningRelay> {
    const made = await startSmallRelay();
    open.push(made);
    return made;
  }

  async function call(id: string): Promise<MediaSession> {
    const session = relay.open(id);
    await session.offer('a', audioSdp(4000), PEER);
    return session;
  }

  const urlOf = (of: RunningRelay | undefined): string => of!.controlUrls[0]!;
  const portOf = (of: RunningRelay | undefined): number => Number(urlOf(of).split(':').at(-1));
  const callsOn = (of: RunningRelay | undefined): number => of!.stats().activeSessions;
  /** Control sockets to a relay; the system's list of sockets can miss one while others come and go. */
  const untilChannels = (of: RunningRelay | undefined, count: number): Promise<void> =>
    waitFor(`${count} control sockets`, () => connectedUdpSockets(portOf(of)) === count);

  it('takes one back with its calls when it is added again at the same URL', async () => {
    const kept = await call('back-1');
    await control.remove('rtp');
    assert.deepEqual(control.list(), []);
    assert.equal(control.calls('rtp'), 1, 'on its way out');
    await assert.rejects(call('back-2'), { code: 'MEDIA_FAILED' });
    control.add('rtp', urlOf(first), { weight: 3, active: true });
    assert.deepEqual(control.list(), [{ name: 'rtp', url: urlOf(first), weight: 3, active: true }]);
    assert.equal(control.calls('rtp'), 1, 'in use again');
    assert.deepEqual(
      (await control.states()).map(({ calls }) => calls),
      [1],
    );
    await kept.close();
    const next = await call('back-3');
    await untilChannels(first, 1);
    await next.close();
    await control.remove('rtp');
    await untilChannels(first, 0);
  });

  it('closes the old one after its last call when the name has gone to another URL', async () => {
    const [old, older] = [await call('old-1'), await call('old-2')];
    await control.remove('rtp');
    control.add('rtp', urlOf(second), USE);
    const young = await call('old-3');
    assert.deepEqual([callsOn(first), callsOn(second)], [2, 1]);
    assert.equal(control.calls('rtp'), 3, 'on both');
    assert.deepEqual(
      (await control.states()).map(({ calls }) => calls),
      [3],
    );
    await old.close();
    assert.equal(callsOn(first), 1);
    await untilChannels(first, 1);
    await older.close();
    await untilChannels(first, 0);
    await untilChannels(second, 1);
    assert.deepEqual([callsOn(first), callsOn(second)], [0, 1]);
    assert.equal(control.calls('rtp'), 1);
    await young.close();
    await untilChannels(second, 1);
  });

  it('goes to and fro between two URLs with a call on each, and forgets neither', async () => {
    const one = await call('fro-1');
    await control.remove('rtp');
    control.add('rtp', urlOf(second), USE);
    const two = await call('fro-2');
    await control.remove('rtp');
    control.add('rtp', urlOf(first), USE);
    assert.equal(control.calls('rtp'), 2);
    await two.close();
    await untilChannels(second, 0);
    await untilChannels(first, 1);
    assert.equal(control.calls('rtp'), 1);
    await one.close();
    assert.deepEqual([callsOn(first), callsOn(second)], [0, 0]);
  });

  it('moves a call from one that has died to the other of its name, and closes the dead one', async () => {
    const moved = await call('move-1');
    await control.remove('rtp');
    control.add('rtp', urlOf(second), USE);
    await first!.close();
    await moved.offer('a', audioSdp(4000), PEER);
    assert.deepEqual([callsOn(second), control.calls('rtp')], [1, 1]);
    await untilChannels(first, 0);
    await moved.close();
    assert.equal(callsOn(second), 0);
  });

  it('closes those on their way out with the rest', async () => {
    await call('end-1');
    await control.remove('rtp');
    control.add('rtp', urlOf(second), USE);
    await call('end-2');
    await relay.close();
    await untilChannels(first, 0);
    await untilChannels(second, 0);
  });
});
