import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallMedia, isBadDescription } from '../../../src/call/call-media.js';
import { MediaError, type MediaSession } from '../../../src/media/types.js';
import { BadSdpError } from '../../../src/sdp/errors.js';

const peer = { signallingAddress: '127.0.0.1' };

/** Notes what it is asked. */
class NotedSession implements MediaSession {
  readonly asked: string[] = [];
  failure: Error | undefined;

  async offer(from: string, sdp: string): Promise<string> {
    return this.take(`offer ${from} ${sdp}`);
  }
  async answer(from: string, sdp: string): Promise<string> {
    return this.take(`answer ${from} ${sdp}`);
  }
  async stats() {
    return [];
  }
  async close() {
    this.asked.push('close');
    return [];
  }
  private take(what: string): string {
    this.asked.push(what);
    if (this.failure) throw this.failure;
    return what;
  }
}

test('a call that never offered anything asks nothing of a relay', async () => {
  let opened = 0;
  const media = new CallMedia(() => {
    opened++;
    return new NotedSession();
  });
  assert.deepEqual(await media.close(), []);
  assert.deepEqual(await media.stats(), []);
  assert.equal(opened, 0);
});

test('RFC 3261 §14.1: after a refused offer the relay is told the last accepted pair again', async () => {
  const session = new NotedSession();
  const media = new CallMedia(() => session);
  await media.offer('a', 'O1', peer);
  await media.earlyAnswer('b', 'E1', peer);
  await media.answer('b', 'A1', peer);
  await media.offer('b', 'O2', peer);
  assert.equal(await media.restore(), true);
  assert.deepEqual(session.asked.slice(-2), ['offer a O1', 'answer b A1']);
  assert.equal(media.lastAnswer, 'A1');
});

test('RFC 3261 §14.1: an answer that is taken back leaves the pair before it in force', async () => {
  const session = new NotedSession();
  const media = new CallMedia(() => session);
  await media.offer('a', 'O1', peer);
  await media.answer('b', 'A1', peer);
  await media.offer('b', 'O2', peer);
  await media.answer('a', 'A2', peer);
  media.takeBack();
  assert.deepEqual([media.toldTo('a'), media.toldTo('b')], ['answer b A1', 'offer a O1']);
  await media.restore();
  assert.deepEqual(session.asked.slice(-2), ['offer a O1', 'answer b A1']);
});

test('RFC 3261 §14.1: an offer that comes while the relay goes back waits for its end', async () => {
  const session = new NotedSession();
  const media = new CallMedia(() => session);
  await media.offer('a', 'O1', peer);
  await media.answer('b', 'A1', peer);
  await media.offer('b', 'O2', peer);
  const back = media.restore();
  await Promise.all([back, media.offer('a', 'O3', peer)]);
  assert.deepEqual(session.asked.slice(-3), ['offer a O1', 'answer b A1', 'offer a O3']);
});

test('a relay that does not follow is told of, not thrown', async () => {
  const session = new NotedSession();
  const media = new CallMedia(() => session);
  await media.offer('a', 'O1', peer);
  await media.answer('b', 'A1', peer);
  session.failure = new Error('gone');
  assert.equal(await media.restore(), false);
  await assert.rejects(media.offer('a', 'O2', peer), MediaError);
});

test('a description at fault is told from a relay at fault', async () => {
  const session = new NotedSession();
  const media = new CallMedia(() => session);
  session.failure = new BadSdpError('no m-line');
  const error = await media.offer('a', 'O1', peer).catch((thrown: unknown) => thrown);
  assert.equal(isBadDescription(error), true);
  assert.equal(isBadDescription(new MediaError('x')), false);
});
