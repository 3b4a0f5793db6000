import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeFrame, FrameDecoder, MAX_FRAME_BYTES } from '../../../src/engine/drachtio/frame-codec.js';

function decode(...chunks: Buffer[]): string[] {
  const frames: string[] = [];
  const decoder = new FrameDecoder((frame) => frames.push(frame));
  for (const chunk of chunks) decoder.push(chunk);
  return frames;
}

describe('frames', () => {
  const stream = Buffer.from(encodeFrame('a|ping') + encodeFrame('b|sip||', '#12#x'), 'latin1');

  test('come out the same however the stream is cut', () => {
    const whole = ['a|ping', 'b|sip||\r\n#12#x'];
    assert.deepEqual(decode(stream), whole);
    for (let at = 1; at < stream.length; at++)
      assert.deepEqual(decode(stream.subarray(0, at), stream.subarray(at)), whole, `cut at ${at}`);
    assert.deepEqual(decode(...[...stream].map((byte) => Buffer.from([byte]))), whole);
  });

  test('count bytes, not characters', () => {
    const frame = encodeFrame('m', Buffer.from('电', 'utf8').toString('latin1'));
    assert.equal(frame.slice(0, 2), '6#');
    assert.equal(frame.length, 8);
  });

  test('have a length of 1 to the largest, and nothing else before the #', () => {
    for (const bad of ['#', '0#', '-1#', 'x', '1 #', '00000000', `${MAX_FRAME_BYTES + 1}#`, '99999999#'])
      assert.throws(() => decode(Buffer.from(bad)), { code: 'ENGINE_FRAME' }, bad);
    assert.deepEqual(decode(Buffer.from(`${MAX_FRAME_BYTES}#`)), []);
  });

  test('a decoder that was stopped holds and tells nothing', () => {
    const decoder: FrameDecoder = new FrameDecoder(() => decoder.stop());
    decoder.push(stream);
    decoder.push(Buffer.from('zzz'));
    assert.equal(decoder.bufferedBytes, 0);
  });
});
