import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAudioHost } from '../../../src/audio/host.js';
import type { AudioHost } from '../../../src/audio/types.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { toneSamples } from '../../../src/testkit/tone.js';
import { AudioPhone } from '../../support/audio-phone.js';
import { freePorts } from '../../support/free-ports.js';
import { makeWav } from '../../support/make-wav.js';
import { waitFor } from '../../support/wait-for.js';

const TONES = [440, 660, 880, 1100];

async function startHost(t: TestContext, endpoints = 4): Promise<AudioHost> {
  const ports = await freePorts(2 * endpoints);
  const host = createAudioHost({ address: '127.0.0.1', ports, log: silentLogger });
  t.after(() => host.close());
  return host;
}

async function openPhone(t: TestContext): Promise<AudioPhone> {
  const phone = await AudioPhone.open();
  t.after(() => phone.close());
  return phone;
}

function wavFile(t: TestContext, hz: number, seconds: number): string {
  const dir = mkdtempSync(join(tmpdir(), 'sound-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const path = join(dir, 'tone.wav');
  writeFileSync(path, makeWav(toneSamples(hz, 0, seconds * 8000), { tag: 7, bits: 8 }));
  return path;
}

test('a file is played once at a steady pace, frame by frame, and its end is told', async (t) => {
  const host = await startHost(t);
  const phone = await openPhone(t);
  const endpoint = await host.open();
  endpoint.connect(phone.remote);
  const file = wavFile(t, 440, 2);
  assert.deepEqual(await host.check({ file }), { durationMs: 2000 });
  assert.equal(await endpoint.play({ file }), 'done');
  await waitFor('the last packet', () => phone.heard.length === 100);
  const { heard } = phone;
  assert.ok(heard[0]!.marker && !heard[1]!.marker);
  for (const [i, packet] of heard.entries()) {
    assert.equal(packet.payloadType, 0);
    assert.equal(packet.payload.length, 160);
    assert.equal((packet.sequence - heard[0]!.sequence) & 0xffff, i);
    assert.equal((packet.timestamp - heard[0]!.timestamp) >>> 0, 160 * i);
  }
  const lengthMs = heard[99]!.atMs - heard[0]!.atMs;
  assert.ok(Math.abs(lengthMs - 99 * 20) < 60, `${lengthMs} ms`);
  const gaps = heard.slice(1).map(({ atMs }, i) => atMs - heard[i]!.atMs);
  const medianMs = gaps.sort((one, other) => one - other)[49]!;
  assert.ok(Math.abs(medianMs - 20) < 3, `${medianMs} ms between packets`);
  assert.equal(phone.tone(TONES), 440);
  assert.equal((await endpoint.stats()).sent, 100);
});

test('a tone goes on until another sound takes its place, and nothing goes on after close', async (t) => {
  const host = await startHost(t);
  const phone = await openPhone(t);
  const endpoint = await host.open();
  endpoint.connect({ ...phone.remote, law: 'PCMA' });
  const first = endpoint.play({ tone: 'beep' }, { loop: true });
  await waitFor('some packets', () => phone.heard.length > 15);
  assert.equal(phone.heard[0]?.payloadType, 8);
  const second = endpoint.play({ tone: 'busy' }, { loop: true });
  assert.equal(await first, 'stopped');
  await endpoint.close();
  assert.equal(await second, 'closed');
  assert.equal(await endpoint.play({ tone: 'busy' }), 'closed');
  assert.equal((await host.stats()).endpoints, 0);
});

test('a sound that is not there is told, and others go on', async (t) => {
  const host = await startHost(t);
  const endpoint = await host.open();
  await assert.rejects(endpoint.play({ file: '/nowhere/at-all.wav' }), { code: 'SOUND_UNUSABLE' });
  await assert.rejects(host.check({ file: '/nowhere/at-all.wav' }), /at-all\.wav cannot be read/);
});

test('members of a mix hear each other and not themselves; the end of the last ends it', async (t) => {
  const host = await startHost(t);
  const [one, two] = [await openPhone(t), await openPhone(t)];
  const [a, b] = [await host.open(), await host.open()];
  a.connect(one.remote);
  b.connect(two.remote);
  a.join('room');
  b.join('room');
  one.say(440, a.port);
  two.say(660, b.port);
  await waitFor('both tones', () => one.tone(TONES) === 660 && two.tone(TONES) === 440);
  a.join('room', { muted: true });
  await waitFor('silence of the muted one', () => two.tone(TONES) === 0 && one.tone(TONES) === 660);
  await host.playToMix('room', { file: wavFile(t, 1100, 1) });
  await waitFor('a sound for both', () => two.tone(TONES) === 1100);
  await a.close();
  const { length } = one.heard;
  await waitFor('the mix of one', async () => (await host.stats()).mixes === 1);
  await b.close();
  await waitFor('the end of the mix', async () => (await host.stats()).mixes === 0);
  assert.ok(one.heard.length - length < 50);
});

test('a stranger is not heard, and does not turn the sound to itself', async (t) => {
  const host = await startHost(t);
  const [phone, stranger] = [await openPhone(t), await openPhone(t)];
  const endpoint = await host.open();
  endpoint.connect(phone.remote);
  phone.say(440, endpoint.port);
  await waitFor('the phone to be heard', async () => (await endpoint.stats()).received > 3);
  stranger.say(660, endpoint.port);
  void endpoint.play({ tone: 'beep' }, { loop: true });
  await waitFor('the stranger to be dropped', async () => (await endpoint.stats()).dropped > 3);
  assert.equal(stranger.heard.length, 0);
  assert.ok(phone.heard.length > 0);
});

test('RFC 4733 §2.5.1.2: digits are told once each, at their beginning', async (t) => {
  const host = await startHost(t);
  const phone = await openPhone(t);
  const digits: string[] = [];
  const endpoint = await host.open({ onDigit: (digit) => digits.push(digit) });
  endpoint.connect(phone.remote);
  for (const [event, timestamp] of [
    [5, 1000],
    [11, 5000],
  ] as const)
    for (const end of [0, 0, 0x80, 0x80, 0x80])
      phone.send(endpoint.port, 101, Buffer.of(event, end, 0, 160), timestamp);
  await waitFor('two digits', () => digits.length >= 2);
  assert.deepEqual(digits, ['5', '#']);
});

test('there are as many endpoints as pairs of ports; a closed one makes room', async (t) => {
  const host = await startHost(t, 2);
  const [a] = [await host.open(), await host.open()];
  await assert.rejects(host.open(), { code: 'AUDIO_UNAVAILABLE', sipStatus: 503 });
  await a.close();
  await host.open();
  assert.equal((await host.stats()).free, 0);
});

test('a closed host opens nothing, and tells its owners that their endpoints are gone', async (t) => {
  const host = await startHost(t);
  let lost = 0;
  await host.open({ onLost: () => lost++ });
  await host.close();
  assert.equal(lost, 1);
  await assert.rejects(host.open(), { code: 'AUDIO_UNAVAILABLE' });
});
