import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkAnswer } from '../../../src/sdp/offer-answer.js';
import { rejectOffer } from '../../../src/sdp/reject-offer.js';
import { parseSdp } from '../../../src/sdp/session-description.js';

test('RFC 3264 §6: every stream of the offer is answered with port 0', () => {
  const offer = [
    'v=0',
    'o=- 1 1 IN IP4 192.0.2.1',
    's=-',
    'c=IN IP4 192.0.2.1',
    't=0 0',
    'm=audio 4000 RTP/AVP 0 8',
    'a=rtpmap:0 PCMU/8000',
    'm=video 4002/2 RTP/AVP 97',
    'a=rtpmap:97 H264/90000',
    '',
  ].join('\r\n');
  const answer = parseSdp(rejectOffer(offer));
  checkAnswer(parseSdp(offer), answer);
  assert.deepEqual(
    answer.streams.map(({ port }) => port),
    [0, 0],
  );
});

test('what is no description is answered with one that has no streams', () => {
  assert.deepEqual(parseSdp(rejectOffer('rubbish')).streams, []);
});
