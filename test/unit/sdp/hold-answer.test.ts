import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdAnswer } from '../../../src/sdp/hold-answer.js';
import { parseSdp } from '../../../src/sdp/session-description.js';

const offer = (...lines: string[]) =>
  ['v=0', 'o=a 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...lines, ''].join('\r\n');

test('RFC 3264 §6.1: takes plain RTP with its formats, silent; refuses all else, every m-line in its place', () => {
  const answer = holdAnswer(
    offer(
      'm=audio 4000 RTP/AVP 96 0',
      'a=rtpmap:96 opus/48000/2',
      'a=fmtp:96 useinbandfec=1',
      'a=sendrecv',
      'm=video 4002 RTP/SAVP 97',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x',
      'm=image 4004 udptl t38',
    ),
  );
  const { streams } = parseSdp(answer ?? '');
  assert.deepEqual(
    streams.map(({ kind, port, direction, formats }) => [kind, port > 0, direction, formats.join(' ')]),
    [
      ['audio', true, 'inactive', '96 0'],
      ['video', false, 'sendrecv', '97'],
      ['image', false, 'sendrecv', 't38'],
    ],
  );
  assert.match(answer ?? '', /a=rtpmap:96 opus/);
  assert.doesNotMatch(answer ?? '', /192\.0\.2\.1|crypto/);
});

test('an offer without plain RTP cannot be kept silent', () => {
  for (const text of [
    '',
    'nonsense',
    offer('m=audio 0 RTP/AVP 0'),
    offer('m=audio 4000 UDP/TLS/RTP/SAVPF 111'),
  ])
    assert.equal(holdAnswer(text), undefined);
});
