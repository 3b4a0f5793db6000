import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyCodecPolicy } from '../../../src/sdp/codec-policy.js';

const lines = (...media: string[]): string =>
  ['v=0', 'o=- 1 1 IN IP4 192.0.2.1', 's=-', 'c=IN IP4 192.0.2.1', 't=0 0', ...media, ''].join('\r\n');
const AUDIO = [
  'm=audio 4000 RTP/AVP 18 0 8 96 101',
  'a=rtpmap:18 G729/8000',
  'a=fmtp:18 annexb=no',
  'a=rtpmap:96 opus/48000/2',
  'a=rtcp-fb:96 nack',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  'a=sendrecv',
];
const mLine = (sdp: string | undefined): string | undefined => /^m=audio.*$/m.exec(sdp ?? '')?.[0].trim();

test('RFC 3264 §5.1: codecs are put into the wanted order, others keep theirs', () => {
  const sdp = applyCodecPolicy(lines(...AUDIO), { order: ['PCMA', 'Opus'], remove: [] });
  assert.equal(mLine(sdp), 'm=audio 4000 RTP/AVP 8 96 18 0 101');
});

test('codecs are removed with all that is said about them, other lines stay', () => {
  const sdp = applyCodecPolicy(lines(...AUDIO), { order: [], remove: ['g729', 'OPUS'] });
  assert.equal(sdp, lines('m=audio 4000 RTP/AVP 0 8 101', ...AUDIO.slice(5)));
});

test('telephone events stay unless they are named', () => {
  const without = applyCodecPolicy(lines(...AUDIO), { order: ['PCMA'], remove: ['telephone-event', 'G729'] });
  assert.equal(mLine(without), 'm=audio 4000 RTP/AVP 8 0 96');
  assert.doesNotMatch(without ?? '', /:101/);
});

test('RFC 3264 §8.2: a stream that has no codec left is rejected, the others stay', () => {
  const video = ['m=video 5000 RTP/AVP 97', 'a=rtpmap:97 H264/90000'];
  const sdp = applyCodecPolicy(lines(...AUDIO, ...video), { order: [], remove: ['H264'] });
  assert.match(sdp ?? '', /^m=video 0 RTP\/AVP 97\r$/m);
  assert.equal(mLine(sdp), AUDIO[0]);
});

test('an offer of which nothing is left is no offer', () => {
  const policy = { order: [], remove: ['PCMU', 'PCMA', 'G729', 'opus'] };
  assert.equal(applyCodecPolicy(lines(...AUDIO), policy), undefined);
});

test('fax and other datagrams are not touched', () => {
  const fax = lines('m=image 4000 udptl t38', 'a=T38FaxVersion:0');
  assert.equal(applyCodecPolicy(fax, { order: ['PCMA'], remove: ['t38'] }), fax);
});

test('without a wish the text stays as it is', () => {
  const sdp = lines(...AUDIO).replaceAll('\r\n', '\n');
  assert.equal(applyCodecPolicy(sdp, { order: [], remove: [] }), sdp);
});
