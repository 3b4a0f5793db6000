import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RunningRelay } from '../../../src/media/relay/start-relay.js';
import { createRtpProxyRelay } from '../../../src/media/rtpproxy/rtpproxy-relay.js';
import { StoredRelays } from '../../../src/media/stored-relays.js';
import type { MediaRelay, MediaSession } from '../../../src/media/types.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import type { Collection } from '../../../src/store/types.js';
import { startSmallRelay } from '../../support/built-in-relay.js';
import { connectedUdpSockets } from '../../support/listening-ports.js';
import { ManualClock } from '../../support/manual-clock.js';
import { audioSdp } from '../../support/sdp-samples.js';
import { openTempStore } from '../../support/temp-store.js';
import { waitFor } from '../../support/wait-for.js';

const PEER = { signallingAddress: '127.0.0.1' };
/** Between two looks at the Store, milliseconds. */
const REFRESH_MS = 5000;
/** Of MEDIA_RELAY on both servers, out of service; nobody listens there. */
const SETTING = 'rtpproxy+udp://127.0.0.1:9';

interface Server {
  readonly relay: MediaRelay;
  readonly relays: StoredRelays;
}

describe('media relays of two servers on one Store', () => {
  const open: { close(): unknown }[] = [];
  let clock: ManualClock;
  let kept: Collection;
  let [first, second]: RunningRelay[] = [];
  let [here, there]: Server[] = [];

  beforeEach(async () => {
    clock = new ManualClock();
    const temp = await openTempStore();
    open.push(temp);
    kept = temp.store.collection('relays');
    [first, second] = [await builtIn(), await builtIn()];
    const start = async (node: string): Promise<Server> => {
      const log = silentLogger;
      const relay = createRtpProxyRelay([SETTING], { clock: systemClock, log, address: '127.0.0.1' });
      const control = relay.control!;
      const relays = new StoredRelays({ store: temp.store, control, isAlone: false, node, clock, log });
      open.push(relay, relays);
      await relays.start();
      await relays.setActive(SETTING, false);
      return { relay, relays };
    };
    [here, there] = [await start('here'), await start('there')];
    await here.relays.add('rtp', urlOf(first), 2);
    await look();
    assert.equal(urlAt(there), urlOf(first));
  });
  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part.close();
  });

  async function builtIn(): Promise<RunningRelay> {
    const made = await startSmallRelay();
    open.push(made);
    return made;
  }

  /** Both servers look at the Store, to the end. */
  async function look(): Promise<void> {
    const before = clock.pendingTimers;
    clock.advance(REFRESH_MS);
    await waitFor('the look at the Store', () => clock.pendingTimers === before);
  }

  /** Nobody looks at the Store meanwhile. */
  async function moveTo(url: string): Promise<void> {
    await here!.relays.remove('rtp');
    await here!.relays.add('rtp', url, 3);
  }

  async function call(server: Server | undefined, id: string): Promise<MediaSession> {
    const session = server!.relay.open(id);
    await session.offer('a', audioSdp(4000), PEER);
    return session;
  }

  const urlOf = (of: RunningRelay | undefined): string => of!.controlUrls[0]!;
  const urlAt = (server: Server | undefined): string | undefined =>
    server!.relays.list().find(({ name }) => name === 'rtp')?.url;
  const callsOn = (of: RunningRelay | undefined): number => of!.stats().activeSessions;
  const portOf = (of: RunningRelay | undefined): number => Number(urlOf(of).split(':').at(-1));
  /** Control sockets to a relay; the system's list of sockets can miss one while others come and go. */
  const untilChannels = (of: RunningRelay | undefined, count: number): Promise<void> =>
    waitFor(`${count} control sockets`, () => connectedUdpSockets(portOf(of)) === count);

  it('has both use the new URL of one that was removed and added again between two looks', async () => {
    await moveTo(urlOf(second));
    await look();
    assert.deepEqual(
      there!.relays.list().find(({ name }) => name === 'rtp'),
      { name: 'rtp', url: urlOf(second), weight: 3, active: true, isSetting: false },
    );
    const up = await call(there, 'moved-1');
    assert.deepEqual([callsOn(first), callsOn(second)], [0, 1]);
    await up.close();
  });

  it('leaves calls of the other server where they are, counts them, and lets go of the old relay after them', async () => {
    const old = await call(there, 'stays-1');
    await moveTo(urlOf(second));
    await look();
    const young = await call(there, 'stays-2');
    assert.deepEqual([callsOn(first), callsOn(second)], [1, 1]);
    await young.close();
    await assert.rejects(there!.relays.remove('rtp'), { code: 'RELAY_BUSY', message: /^1 calls are on rtp/ });
    await old.close();
    await untilChannels(first, 0);
    await there!.relays.remove('rtp');
    assert.equal(await kept.get('rtp'), undefined);
  });

  it('takes it back when it is moved away and home again while the other server has a call on it', async () => {
    const up = await call(there, 'home-1');
    await moveTo(urlOf(second));
    await look();
    await moveTo(urlOf(first));
    await look();
    assert.equal(urlAt(there), urlOf(first));
    const next = await call(there, 'home-2');
    await untilChannels(first, 1);
    assert.deepEqual([callsOn(first), callsOn(second)], [2, 0]);
    await up.close();
    await next.close();
    await untilChannels(first, 1);
  });

  it('changes what the Store has, on a server that has not looked since', async () => {
    await moveTo(urlOf(second));
    const view = await there!.relays.setWeight('rtp', 7);
    assert.deepEqual([view.url, view.weight], [urlOf(second), 7]);
    assert.deepEqual(await kept.get('rtp'), { url: urlOf(second), weight: 7, active: true });
    await moveTo(urlOf(first));
    await there!.relays.setActive('rtp', false);
    assert.deepEqual(await kept.get('rtp'), { url: urlOf(first), weight: 3, active: false });
    await here!.relays.setWeight('rtp', 4);
    assert.deepEqual(await kept.get('rtp'), { url: urlOf(first), weight: 4, active: false });
    await here!.relays.remove('rtp');
    await assert.rejects(there!.relays.setWeight('rtp', 5), { code: 'RELAY_UNKNOWN' });
    assert.equal(await kept.get('rtp'), undefined);
  });

  it('keeps weight and state of a relay of the settings, each server its own', async () => {
    await here!.relays.setWeight(SETTING, 9);
    await look();
    const views = [here, there].map((server) => server!.relays.list()[0]);
    assert.deepEqual(
      views.map((view) => [view?.weight, view?.active]),
      [
        [9, false],
        [1, false],
      ],
    );
    assert.deepEqual(await kept.get(`here/${SETTING}`), { weight: 9, active: false });
  });

  it('leaves alone one whose URL is written in another way', async () => {
    await moveTo(`${urlOf(second)}/`);
    await look();
    assert.equal(urlAt(there), urlOf(second));
    await (await call(there, 'same-1')).close();
    await untilChannels(second, 1);
    await look();
    await untilChannels(second, 1);
  });

  it('gives no more calls to one whose URL in the Store cannot be read, and goes on with the others', async () => {
    await kept.put('rtp', { url: 'http://x', weight: 1, active: true });
    await kept.put('zz', { url: urlOf(second), weight: 1, active: true });
    await look();
    assert.deepEqual(
      there!.relays.list().map(({ name }) => name),
      [SETTING, 'zz'],
    );
  });
});
