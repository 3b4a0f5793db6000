import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import type { RunningRelay } from '../../../src/media/relay/start-relay.js';
import { createRtpProxyRelay } from '../../../src/media/rtpproxy/rtpproxy-relay.js';
import { type SavedMedia, savedMedia } from '../../../src/media/saved-media.js';
import type { MediaAgreement, MediaRelay } from '../../../src/media/types.js';
import { systemClock } from '../../../src/platform/clock.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { startSmallRelay } from '../../support/built-in-relay.js';
import { freePorts } from '../../support/free-ports.js';
import { audioSdp } from '../../support/sdp-samples.js';

const PEER = { signallingAddress: '127.0.0.1' };
const USE = { weight: 1, active: true };
const AGREED: MediaAgreement = {
  offerer: 'a',
  offer: audioSdp(4000),
  offerPeer: PEER,
  answer: audioSdp(5000),
  answerPeer: PEER,
};
const PORTS = await freePorts(20);

describe('media of a call after a restart, by the URL of its relay', () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const part of open.splice(0).reverse()) await part.close();
  });

  async function builtIn(): Promise<RunningRelay> {
    const made = await startSmallRelay(PORTS);
    open.push(made);
    return made;
  }

  /** A server whose relay `name` is at this URL: of its settings, or added by an operator. */
  function server(name: string, { controlUrls: [url] }: RunningRelay, isSetting: boolean): MediaRelay {
    const options = { clock: systemClock, log: silentLogger, address: '127.0.0.1', names: [name] };
    const relay = createRtpProxyRelay(
      isSetting ? [url!] : [],
      isSetting ? options : { ...options, names: [] },
    );
    if (!isSetting) relay.control!.add(name, url!, USE);
    open.push(relay);
    return relay;
  }

  /** What is kept of a call, through JSON as the journal has it; its server goes on to hold it. */
  async function keep(relay: MediaRelay): Promise<SavedMedia> {
    const call = relay.open('kept-1');
    await call.offer('a', AGREED.offer, PEER);
    await call.answer('b', AGREED.answer, PEER);
    return savedMedia.parse(JSON.parse(JSON.stringify(call.save!())));
  }

  const resume = (relay: MediaRelay, saved: SavedMedia) => relay.resume!('kept-1', saved, AGREED);

  it('goes on at the same URL', async () => {
    const first = await builtIn();
    const saved = await keep(server('rtp', first, false));
    const again = server('rtp', first, false);
    const call = await resume(again, saved);
    assert.equal(again.control!.calls('rtp'), 1);
    await call.close();
    assert.equal(first.stats().activeSessions, 0);
  });

  it('does not go on at another relay that has got its name', async () => {
    const first = await builtIn();
    const saved = await keep(server('rtp', first, false));
    await first.close();
    // It could give the same ports, at an address that no phone was told.
    const second = await builtIn();
    const again = server('rtp', second, false);
    await assert.rejects(resume(again, saved), { code: 'MEDIA_FAILED', message: /not configured any more/ });
    assert.deepEqual([second.stats().activeSessions, again.control!.calls('rtp')], [0, 0]);
  });

  it('does not take silence at the new URL for a relay that has the call', async () => {
    const first = await builtIn();
    const saved = await keep(server('rtp', first, false));
    await first.close();
    const second = await builtIn();
    const again = server('rtp', second, false);
    await second.close();
    await again.health();
    await assert.rejects(resume(again, saved), { code: 'MEDIA_FAILED' });
    assert.equal(again.control!.calls('rtp'), 0);
  });

  it('goes on with the relay of this server, which has another URL after each start', async () => {
    const first = await builtIn();
    const saved = await keep(server('embedded', first, true));
    await first.close();
    const second = await builtIn();
    await resume(server('embedded', second, true), saved);
    assert.equal(second.stats().activeSessions, 1);
  });

  it('goes by the name alone for a call that was kept before URLs were', async () => {
    const first = await builtIn();
    const { url, ...saved } = await keep(server('rtp', first, false));
    assert.equal(url, first.controlUrls[0]);
    const again = server('rtp', first, false);
    await resume(again, saved);
    assert.equal(again.control!.calls('rtp'), 1);
  });

  it('keeps a relay on its way out open while a call goes on there', async () => {
    const first = await builtIn();
    const saved = await keep(server('rtp', first, false));
    const again = server('rtp', first, false);
    const resumed = resume(again, saved);
    await again.control!.remove('rtp');
    const call = await resumed;
    const [figures] = await call.stats();
    assert.equal(figures?.packetsFromA, 0);
    await call.close();
    assert.equal(first.stats().activeSessions, 0);
  });
});
