import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { rewriteSdp, type StreamTarget } from '../../../src/sdp/rewrite-sdp.js';
import { parseSdp } from '../../../src/sdp/session-description.js';
import { audioSdp, sdp, videoSdp } from '../../support/sdp-samples.js';

const ORIGIN = { sessId: '42', sessVersion: 3, address: '198.51.100.1' };
const target = (port: number, address = '198.51.100.1'): StreamTarget => ({
  address,
  port,
  rtcpPort: port + 1,
});

function rewrite(text: string, ...streams: (StreamTarget | 'reject')[]): string {
  return rewriteSdp(parseSdp(text), { origin: ORIGIN, streams });
}

describe('rewriteSdp', () => {
  it('RFC 3605 §2.1: points o=, c=, m= and a=rtcp at the relay and leaves nothing of the phone', () => {
    const text = rewrite(
      sdp('192.0.2.1', [
        ['m=audio 4000 RTP/AVP 0', 'c=IN IP4 192.0.2.1', 'a=rtcp:4001 IN IP4 192.0.2.1', 'a=sendrecv'],
      ]),
      target(20_000),
    );
    assert.equal(
      text,
      [
        'v=0',
        'o=- 42 3 IN IP4 198.51.100.1',
        's=call',
        'c=IN IP4 198.51.100.1',
        't=0 0',
        'm=audio 20000 RTP/AVP 0',
        'c=IN IP4 198.51.100.1',
        'a=rtcp:20001 IN IP4 198.51.100.1',
        'a=sendrecv',
        '',
      ].join('\r\n'),
    );
  });

  it('keeps every other line byte for byte and in its place', () => {
    // sdp-transform alone would lose, cut or move each of these.
    const session = [
      'k=prompt',
      'b=X-YZ:128',
      'r=7d 1h 0 25h',
      't=2873397496 2873404696',
      'a=fingerprint:sha-1 AA',
      'a=fingerprint:sha-256 BB',
    ];
    const media = [
      'a=zrtp-hash:1.10 fe30efd02423cb054e50efd0248742ac7a52c8f91bc2df881ae642c371ba46df',
      'k=clear:x',
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR|2^20|1:4 FEC_ORDER=FEC_SRTP UNENCRYPTED_SRTCP',
      'a=fmtp:101 0-15',
      'a=rtpmap:101 telephone-event/8000',
      'a=rtcp-fb:* ccm fir extra words',
      'a=rtcp-mux',
      'a=ptime:20 ',
      'a=X-unknown:  Üñí  ',
      'b=TIAS:64000',
    ];
    const before = sdp('192.0.2.1', [['m=audio 4000 RTP/AVP 0 101', ...media]]).replace(
      't=0 0\r\n',
      `${session.join('\r\n')}\r\n`,
    );
    const after = rewrite(before, target(20_000)).split('\r\n');
    const mLine = after.indexOf('m=audio 20000 RTP/AVP 0 101');
    assert.deepEqual(after.slice(4, mLine), session);
    assert.deepEqual(after.slice(mLine + 1, -1), media);
  });

  it('writes an address of its own where a stream goes through another relay', () => {
    const text = rewrite(videoSdp(4000, 5000), target(20_000), target(30_000, '198.51.100.2'));
    const [session, audio, video] = text.split(/(?=^m=)/m);
    assert.match(session!, /^c=IN IP4 198\.51\.100\.1\r$/m);
    assert.doesNotMatch(audio!, /^c=/m);
    assert.match(video!, /^m=video 30000 RTP\/AVP 96\r\nc=IN IP4 198\.51\.100\.2\r\n/);
  });

  it('RFC 4566 §5: puts c= after i=', () => {
    const text = rewrite(
      sdp('192.0.2.1', [['m=audio 4000 RTP/AVP 0', 'i=desk', 'c=IN IP4 192.0.2.7', 'a=x']]),
      target(20_000),
    );
    assert.match(text, /m=audio 20000 RTP\/AVP 0\r\ni=desk\r\nc=IN IP4 198\.51\.100\.1\r\na=x\r\n/);
  });

  it('RFC 3264 §6: port 0 stays 0 whatever the relay gave, and what is rejected becomes 0', () => {
    const text = rewrite(videoSdp(4000, 0), 'reject', target(20_002));
    assert.match(text, /^m=audio 0 RTP\/AVP 0 8 101\r$/m);
    assert.match(text, /^m=video 0 RTP\/AVP 96\r$/m);
    assert.doesNotMatch(text, /127\.0\.0\.1/);
    assert.match(text, /^c=IN IP4 198\.51\.100\.1\r$/m);
  });

  it('RFC 3264 §8.4: a null address stays null, at either level', () => {
    assert.match(rewrite(audioSdp(4000, { address: '0.0.0.0' }), target(20_000)), /^c=IN IP4 0\.0\.0\.0\r$/m);
    const one = rewrite(sdp('192.0.2.1', [['m=audio 4000 RTP/AVP 0', 'c=IN IP4 0.0.0.0']]), target(20_000));
    assert.match(one, /m=audio 20000 RTP\/AVP 0\r\nc=IN IP4 0\.0\.0\.0\r\n/);
  });

  it('RFC 8839 §5, RFC 9143 §7: takes away what leads round the relay', () => {
    const ways = [
      'a=candidate:1 1 UDP 2130706431 192.0.2.1 4000 typ host',
      'a=ice-ufrag:8hhY',
      'a=ice-pwd:asd88fgpdd777uzjYhagZg',
      'a=ice-options:trickle',
      'a=end-of-candidates',
      'a=remote-candidates:1 192.0.2.3 45664',
      'a=alt:1 1 : 81BF 1234 192.0.2.1 4000',
      'a=bundle-only',
    ];
    const before = sdp('192.0.2.1', [['m=audio 4000 RTP/AVP 0', ...ways, 'a=mid:0']]).replace(
      't=0 0',
      't=0 0\r\na=group:BUNDLE 0\r\na=group:LS 0\r\na=ice-lite',
    );
    const text = rewrite(before, target(20_000));
    assert.doesNotMatch(text, /candidate|a=ice|a=alt|BUNDLE|bundle|192\.0\.2/);
    assert.match(text, /^a=group:LS 0\r$/m);
    assert.match(text, /^a=mid:0\r$/m);
  });

  it('writes IPv6 where the relay has it', () => {
    const text = rewriteSdp(parseSdp(audioSdp(4000, { lines: ['a=rtcp:4001 IN IP4 127.0.0.1'] })), {
      origin: { ...ORIGIN, address: '2001:db8::1' },
      streams: [target(20_000, '2001:db8::1')],
    });
    assert.match(text, /^o=- 42 3 IN IP6 2001:db8::1\r$/m);
    assert.match(text, /^c=IN IP6 2001:db8::1\r$/m);
    assert.match(text, /^a=rtcp:20001 IN IP6 2001:db8::1\r$/m);
  });

  it('reads back what it wrote', () => {
    const once = rewrite(videoSdp(4000, 5000), target(20_000), target(20_002));
    assert.equal(rewrite(once, target(20_000), target(20_002)), once);
  });
});
