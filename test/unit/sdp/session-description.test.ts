import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkAnswer, isHold } from '../../../src/sdp/offer-answer.js';
import { MAX_LINES, MAX_SDP_LENGTH, MAX_STREAMS, parseSdp } from '../../../src/sdp/session-description.js';
import { audioSdp, sdp, videoSdp } from '../../support/sdp-samples.js';

const bad = { code: 'BAD_SDP', sipStatus: 488 };

describe('parseSdp', () => {
  it('RFC 4566 §5, §5.7, RFC 3551 §6: reads what each m-line says, with what the session says for all', () => {
    const { streams } = parseSdp(
      sdp('192.0.2.1', [
        [
          'm=audio 4000 RTP/AVP 8 96',
          'a=rtpmap:96 opus/48000/2',
          'a=rtcp:4101 IN IP4 192.0.2.9',
          'a=sendonly',
        ],
        ['m=video 5000/2 RTP/SAVPF 97', 'c=IN IP4 224.2.1.1/127/3', 'a=rtpmap:97 VP8/90000'],
        ['m=image 6000 udptl t38'],
        ['m=message 7000 TCP/MSRP *'],
      ]),
    );
    assert.deepEqual(streams[0], {
      index: 0,
      kind: 'audio',
      port: 4000,
      proto: 'RTP/AVP',
      transport: 'rtp',
      formats: ['8', '96'],
      address: '192.0.2.1',
      rtcp: { port: 4101, address: '192.0.2.9' },
      direction: 'sendonly',
      codecs: ['PCMA/8000', 'opus/48000/2'],
    });
    assert.deepEqual(
      [streams[1]?.port, streams[1]?.address, streams[1]?.codecs],
      [5000, '224.2.1.1', ['VP8/90000']],
    );
    assert.deepEqual(
      streams.map((stream) => stream.transport),
      ['rtp', 'rtp', 'datagram', 'connection'],
    );
    assert.equal(streams[2]?.direction, 'sendrecv');
  });

  it('RFC 4566 §5.14, §8.2.2: tells connections from datagrams by the proto', () => {
    const transport = (proto: string): string =>
      parseSdp(sdp('192.0.2.1', [[`m=application 4000 ${proto} 1`]])).streams[0]!.transport;
    for (const proto of [
      'TCP',
      'TCP/BFCP',
      'TCP/TLS/MSRP',
      'TCP/RTP/AVP',
      'tcp',
      'TLS/RTP/AVP',
      'TCP/DTLS/SCTP',
    ]) {
      assert.equal(transport(proto), 'connection', proto);
    }
    for (const proto of ['RTP/AVP', 'RTP/SAVPF', 'UDP/TLS/RTP/SAVPF', 'rtp/avp'])
      assert.equal(transport(proto), 'rtp');
    for (const proto of ['udptl', 'UDP', 'UDP/BFCP', 'UDP/DTLS/SCTP', 'UDP/TLS/UDPTL']) {
      assert.equal(transport(proto), 'datagram', proto);
    }
  });

  it('takes LF and CR line ends, and an empty line at the end', () => {
    for (const end of ['\n', '\r']) {
      assert.equal(parseSdp(audioSdp(4000).replaceAll('\r\n', end) + end).streams[0]?.port, 4000);
    }
  });

  it('RFC 3264 §5: takes a description without m-lines', () => {
    assert.deepEqual(parseSdp(sdp('192.0.2.1', [])).streams, []);
  });

  it('refuses malformed descriptions', () => {
    const good = audioSdp(4000);
    const cases: Record<string, string> = {
      empty: '',
      binary: '\u0000\u0001\u0002\u00ff',
      'no version': good.replace('v=0\r\n', ''),
      'other version': good.replace('v=0', 'v=1'),
      'no origin': good.replace(/o=.*\r\n/, ''),
      'short origin': good.replace(/o=.*\r\n/, 'o=alice\r\n'),
      'line without type': `${good}garbage\r\n`,
      'NUL in a line': `${good}a=x\0y\r\n`,
      'no address': good.replace(/c=.*\r\n/, ''),
      'malformed c=': good.replace(/c=.*\r\n/, 'c=IN IP4\r\n'),
      'port too high': good.replace('m=audio 4000', 'm=audio 70000'),
      'negative port': good.replace('m=audio 4000', 'm=audio -1'),
      'port not a number': good.replace('m=audio 4000', 'm=audio x'),
      'm-line cut': good.replace(/m=audio.*\r\n/, 'm=audio\r\n'),
      'too long': `${good}a=${'x'.repeat(MAX_SDP_LENGTH)}\r\n`,
      'too many lines': good + 'a=x\r\n'.repeat(MAX_LINES),
      'too many m-lines': good + 'm=audio 4000 RTP/AVP 0\r\n'.repeat(MAX_STREAMS),
      'cut short before its time': 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n',
    };
    for (const [name, text] of Object.entries(cases)) assert.throws(() => parseSdp(text), bad, name);
  });

  it('throws nothing but BadSdpError for mutilated descriptions', () => {
    const good = videoSdp(4000, 5000);
    for (let seed = 1; seed < 2_000; seed++) {
      const at = (seed * 7919) % good.length;
      const text = good.slice(0, at) + String.fromCharCode((seed * 31) % 256) + good.slice(at + (seed % 5));
      try {
        parseSdp(text);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'BAD_SDP', String(error));
      }
    }
  });
});

describe('offer and answer', () => {
  it('RFC 3264 §5.1, §8.4: sees hold by direction, at either level, and by null address', () => {
    const lines = (...list: string[]): string => audioSdp(4000, { lines: list });
    assert.equal(isHold(parseSdp(lines('a=sendonly'))), true);
    assert.equal(isHold(parseSdp(lines('a=inactive'))), true);
    assert.equal(isHold(parseSdp(audioSdp(4000).replace('t=0 0\r\n', 't=0 0\r\na=sendonly\r\n'))), true);
    assert.equal(isHold(parseSdp(audioSdp(4000, { address: '0.0.0.0' }))), true);
    assert.equal(isHold(parseSdp(lines('c=IN IP4 0.0.0.0'))), true);
    assert.equal(isHold(parseSdp(lines())), false);
    assert.equal(isHold(parseSdp(lines('a=recvonly'))), false);
    assert.equal(isHold(parseSdp(audioSdp(0, { lines: ['a=sendonly'] }))), false, 'nothing is live');
  });

  it('RFC 3264 §6: an answer has the m-lines of its offer', () => {
    const offer = parseSdp(videoSdp(4000, 5000));
    checkAnswer(offer, parseSdp(videoSdp(6000, 0)));
    assert.throws(() => checkAnswer(offer, parseSdp(audioSdp(6000))), bad);
    assert.throws(() => checkAnswer(parseSdp(audioSdp(4000)), offer), bad);
    const fax = parseSdp(sdp('192.0.2.1', [['m=image 4000 udptl t38']]));
    assert.throws(() => checkAnswer(parseSdp(audioSdp(4000)), fax), bad);
  });
});
