import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JitterBuffer } from '../../../src/audio/jitter-buffer.js';

const SSRC = 7;
const packet = (value: number, length = 160): Int16Array => new Int16Array(length).fill(value);

/** First sample of each of the next frames; undefined for silence. */
function read(buffer: JitterBuffer, count: number): (number | undefined)[] {
  return Array.from({ length: count }, () => buffer.read()?.[0]);
}

test('reading stays 40 ms behind, and packets that change places are put right', () => {
  const buffer = new JitterBuffer();
  assert.equal(buffer.read(), undefined);
  buffer.write(SSRC, 1000, packet(1));
  buffer.write(SSRC, 1320, packet(3));
  buffer.write(SSRC, 1160, packet(2));
  assert.deepEqual(read(buffer, 6), [0, 0, 1, 2, 3, undefined]);
});

test('timestamps run over their end', () => {
  const buffer = new JitterBuffer();
  buffer.write(SSRC, 0xffffffff - 159, packet(1));
  buffer.write(SSRC, 0, packet(2));
  assert.deepEqual(read(buffer, 5), [0, 0, 1, 2, undefined]);
});

test('packets of 10 and 60 ms become frames of 20 ms', () => {
  const buffer = new JitterBuffer();
  buffer.write(SSRC, 0, packet(1, 80));
  buffer.write(SSRC, 80, packet(2, 80));
  buffer.write(SSRC, 160, packet(3, 480));
  buffer.read();
  buffer.read();
  const frame = buffer.read()!;
  assert.deepEqual([frame[79], frame[80]], [1, 2]);
  assert.deepEqual(read(buffer, 4), [3, 3, 3, undefined]);
});

test('what never came is silence, a pause too, and what comes twice is heard once', () => {
  const buffer = new JitterBuffer();
  buffer.write(SSRC, 0, packet(1));
  buffer.write(SSRC, 0, packet(1));
  buffer.write(SSRC, 320, packet(3));
  assert.deepEqual(read(buffer, 7), [0, 0, 1, 0, 3, undefined, undefined]);
  buffer.write(SSRC, 800, packet(8));
  assert.deepEqual(read(buffer, 3), [8, undefined, undefined]);
});

test('a packet that comes too late is counted, several in a row move reading back to them', () => {
  const buffer = new JitterBuffer();
  buffer.write(SSRC, 0, packet(1));
  read(buffer, 6);
  buffer.write(SSRC, 160, packet(2));
  assert.deepEqual(read(buffer, 1), [undefined]);
  assert.equal(buffer.late, 1);
  buffer.write(SSRC, 320, packet(3));
  buffer.write(SSRC, 480, packet(4));
  assert.deepEqual(read(buffer, 4), [0, 0, 4, undefined]);
  assert.equal(buffer.late, 3);
});

test('a sender that runs ahead is caught up with', () => {
  const buffer = new JitterBuffer();
  for (let i = 0; i < 20; i++) buffer.write(SSRC, i * 160, packet(i + 1));
  assert.ok(read(buffer, 1)[0]! > 5);
});

test('a new sender, or a jump of its clock, begins anew', () => {
  const buffer = new JitterBuffer();
  buffer.write(SSRC, 0, packet(1));
  buffer.write(9, 5_000_000, packet(5));
  assert.deepEqual(read(buffer, 3), [0, 0, 5]);
  buffer.write(9, 9_000_000, packet(6));
  assert.deepEqual(read(buffer, 3), [0, 0, 6]);
});
