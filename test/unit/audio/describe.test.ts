import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerAudio, audioOffer, readAudioAnswer } from '../../../src/audio/describe.js';
import { parseSdp } from '../../../src/sdp/session-description.js';

const LOCAL = { address: '127.0.0.1', port: 30_000 };
const offerOf = (...media: string[]): string =>
  ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...media, ''].join('\r\n');

test("RFC 3264 §6: an answer has the offer's streams, takes one, and refuses the rest with port 0", () => {
  const offer = offerOf(
    'm=video 4000 RTP/AVP 96',
    'a=rtpmap:96 H264/90000',
    'm=audio 4002 RTP/AVP 111 8 0 96',
    'a=rtpmap:111 opus/48000/2',
    'a=rtpmap:96 telephone-event/8000',
  );
  const { sdp, remote } = answerAudio(LOCAL, offer);
  const [video, audio] = parseSdp(sdp).streams;
  assert.equal(video?.port, 0);
  assert.equal(audio?.port, LOCAL.port);
  assert.deepEqual(audio?.formats, ['8', '96']);
  assert.deepEqual(audio?.codecs, ['PCMA/8000', 'telephone-event/8000']);
  assert.deepEqual(remote, { address: '192.0.2.1', port: 4002, law: 'PCMA', eventType: 96, isSending: true });
});

test('RFC 3264 §6.1: the direction of an answer fits that of the offer', () => {
  const cases = {
    sendonly: ['recvonly', false],
    recvonly: ['sendonly', true],
    inactive: ['inactive', false],
  } as const;
  for (const [offered, [answered, isSending]] of Object.entries(cases)) {
    const { sdp, remote } = answerAudio(LOCAL, offerOf('m=audio 4000 RTP/AVP 0', `a=${offered}`));
    assert.equal(parseSdp(sdp).streams[0]?.direction, answered);
    assert.equal(remote.isSending, isSending);
  }
});

test('RFC 3264 §8.4: nothing is sent to the null address', () => {
  const { remote } = answerAudio(LOCAL, offerOf('m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0'));
  assert.equal(remote.isSending, false);
});

test('offers without plain G.711 are refused', () => {
  const unusable = [
    offerOf('m=audio 4000 RTP/AVP 18'),
    offerOf('m=audio 4000 RTP/SAVP 0'),
    offerOf('m=audio 0 RTP/AVP 0'),
    offerOf('m=image 4000 udptl t38'),
    'no description',
  ];
  for (const offer of unusable) assert.throws(() => answerAudio(LOCAL, offer), { code: 'BAD_SDP' });
});

test('RFC 3264 §5, RFC 4733 §2.4.1: our own offer has both laws and telephone events, and its answer is read', () => {
  const [stream] = parseSdp(audioOffer(LOCAL)).streams;
  assert.deepEqual(stream?.codecs, ['PCMU/8000', 'PCMA/8000', 'telephone-event/8000']);
  assert.deepEqual(readAudioAnswer(offerOf('m=audio 4000 RTP/AVP 8')), {
    address: '192.0.2.1',
    port: 4000,
    law: 'PCMA',
    isSending: true,
  });
  assert.throws(() => readAudioAnswer(offerOf('m=audio 0 RTP/AVP 0')), { code: 'BAD_SDP' });
});
