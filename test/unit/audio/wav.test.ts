import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { SoundCache } from '../../../src/audio/sound-cache.js';
import { decodeWav } from '../../../src/audio/wav.js';
import { leastMs } from '../../support/least-time.js';
import { makeWav } from '../../support/make-wav.js';

test('16-bit PCM, one and two channels', () => {
  const mono = Buffer.from(Int16Array.of(1, -2, 32767, -32768).buffer);
  assert.deepEqual([...decodeWav(makeWav(mono))], [1, -2, 32767, -32768]);
  assert.deepEqual([...decodeWav(makeWav(mono, { channels: 2 }))], [-1, -1]);
});

test('G.711 of both laws', () => {
  const bytes = Buffer.of(0x80, 0xff);
  assert.deepEqual([...decodeWav(makeWav(bytes, { tag: 7, bits: 8 }))], [32124, 0]);
  assert.deepEqual([...decodeWav(makeWav(Buffer.of(0xaa, 0xd5), { tag: 6, bits: 8 }))], [32256, 8]);
});

test('chunks of other kinds are passed over, odd ones with their padding', () => {
  const wav = makeWav(Buffer.from(Int16Array.of(5).buffer));
  const list = Buffer.from('LIST\x03\0\0\0abc\0', 'latin1');
  const between = Buffer.concat([wav.subarray(0, 36), list, wav.subarray(36)]);
  assert.deepEqual([...decodeWav(between)], [5]);
});

test('a length that overruns the file counts to its end', () => {
  const wav = makeWav(Buffer.from(Int16Array.of(5, 6).buffer));
  wav.writeUInt32LE(0xffffffff, 40);
  assert.deepEqual([...decodeWav(wav)], [5, 6]);
});

test('what cannot be played is refused with its reason and what to do', () => {
  const data = Buffer.alloc(4);
  const refusals: [Buffer, RegExp][] = [
    [
      makeWav(data, { rateHz: 44_100 }),
      /44100 samples a second, 8000 are needed; convert it: ffmpeg .* sox /,
    ],
    [makeWav(data, { channels: 6 }), /6 channels/],
    [makeWav(data, { bits: 24 }), /24-bit PCM/],
    [makeWav(data, { tag: 85 }), /format 85/],
    [makeWav(data).subarray(0, 36), /no data chunk/],
    [Buffer.from('ID3 and so on, an MP3'), /no WAV file/],
  ];
  for (const [file, reason] of refusals) assert.throws(() => decodeWav(file), reason);
});

test('16-bit PCM that begins at an odd place', () => {
  const wav = Buffer.concat([Buffer.of(0), makeWav(Buffer.from(Int16Array.of(5, -6).buffer))]);
  assert.deepEqual([...decodeWav(wav.subarray(1))], [5, -6]);
});

test('a long file holds the audio thread up for less than half of the time that its samples take one by one', () => {
  const data = Buffer.alloc(2 << 20, 7);
  const wav = makeWav(data, { channels: 2 });
  const oneByOneMs = leastMs(0, () => {
    const samples = new Int16Array(data.length >> 1);
    for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(i * 2);
  });
  const enoughMs = oneByOneMs / 2;
  assert.ok(leastMs(enoughMs, () => void decodeWav(wav)) < enoughMs);
});

test('a file that many want at once is read once', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sounds-'));
  try {
    const file = join(dir, 'long.wav');
    writeFileSync(file, makeWav(Buffer.alloc(4 << 20)));
    const cache = new SoundCache();
    const loads = Array.from({ length: 20 }, () => cache.load({ file }));
    const timesOpen = () =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`) === file;
        } catch {
          return false;
        }
      }).length;
    let most = 0;
    const all = Promise.all(loads);
    for (let isOver = false; !isOver; ) {
      most = Math.max(most, timesOpen());
      isOver = await Promise.race([
        all.then(() => true),
        new Promise<boolean>((go) => setImmediate(go, false)),
      ]);
    }
    assert.equal(most, 1);
    assert.equal(new Set(await all).size, 1);
    // What failed is not remembered.
    const none = join(dir, 'none.wav');
    await assert.rejects(cache.load({ file: none }));
    writeFileSync(none, makeWav(Buffer.alloc(2)));
    assert.equal((await cache.load({ file: none })).length, 1);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('the cache reads a changed file anew, keeps no more than it may, and says which file cannot be read', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'sounds-'));
  try {
    const [one, two] = [join(dir, 'one.wav'), join(dir, 'two.wav')];
    writeFileSync(one, makeWav(Buffer.alloc(2000)));
    writeFileSync(two, makeWav(Buffer.alloc(3000)));
    const cache = new SoundCache(4000);
    const first = await cache.load({ file: one });
    assert.equal(await cache.load({ file: one }), first);
    assert.equal(cache.size, 2000);
    await cache.load({ file: two });
    assert.equal(cache.size, 3000);
    writeFileSync(two, makeWav(Buffer.alloc(1000)));
    utimesSync(two, 1, 1);
    assert.equal((await cache.load({ file: two })).length, 500);
    await assert.rejects(cache.load({ file: join(dir, 'none.wav') }), /none\.wav cannot be read: ENOENT/);
    await assert.rejects(cache.load({ file: dir }), /cannot be read|no file/);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
