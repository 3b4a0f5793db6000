import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { maskedText } from '../../../src/engine/capture/masked-text.js';
import {
  type CaptureFilter,
  DEFAULT_CAPTURE_LIMITS,
  MessageCapture,
} from '../../../src/engine/capture/message-capture.js';
import { ManualClock } from '../../support/manual-clock.js';
import { requestText } from '../../support/sip-text.js';

const LOCAL = { address: '192.0.2.1', port: 5060 };

function capture(filter: CaptureFilter, limits = {}) {
  const kept = new MessageCapture(new ManualClock(), { ...DEFAULT_CAPTURE_LIMITS, ...limits });
  kept.start(filter);
  const take = (text: string, address = '192.0.2.9'): void =>
    kept.take(text, false, { protocol: 'udp', address, port: 5070 }, LOCAL);
  return { kept, take, callIds: () => kept.messages().map(({ callId }) => callId) };
}

const from = (user: string, callId: string): string =>
  requestText({ method: 'MESSAGE', callId }).replace('<sip:alice@', `"A" <sip:${user}@`);

describe('capture of messages', () => {
  test('without a filter everything is kept, with its ends and times', () => {
    const { kept, take } = capture({});
    take(requestText({ callId: 'one' }));
    take('SIP/2.0 200 OK\r\ni: two\r\n\r\n');
    const [first, second] = kept.messages();
    assert.equal(first?.callId, 'one');
    assert.deepEqual([first?.local, first?.peer, first?.sent], ['192.0.2.1:5060', '192.0.2.9:5070', false]);
    assert.equal(second?.callId, 'two');
  });

  test('by Call-ID, by address, and by user, whose whole calls are followed', () => {
    const byCallId = capture({ callIds: ['b', 'c'] });
    for (const callId of ['a', 'b', 'c', 'd']) byCallId.take(requestText({ callId }));
    assert.deepEqual(byCallId.callIds(), ['b', 'c']);

    const byAddress = capture({ address: '192.0.2.7' });
    byAddress.take(requestText({ callId: 'a' }), '192.0.2.7');
    byAddress.take(requestText({ callId: 'b' }), '192.0.2.77');
    assert.deepEqual(byAddress.callIds(), ['a']);

    const byUser = capture({ user: '1001' });
    byUser.take(from('1001', 'mine'));
    byUser.take(from('11001', 'other'));
    byUser.take(from('10012', 'other'));
    byUser.take('BYE sip:192.0.2.1 SIP/2.0\r\nCall-ID: mine\r\n\r\n');
    byUser.take(requestText({ callId: 'to', uri: 'sip:1001@ims' }));
    byUser.take(requestText({ callId: 'header', headers: ['Subject: <sip:1001@ims>'] }));
    assert.deepEqual(byUser.callIds(), ['mine', 'mine', 'to']);
  });

  test('what an operator asks for is no pattern', () => {
    const { take, callIds } = capture({ user: '.*' });
    take(from('1001', 'a'));
    take(from('.*', 'b'));
    assert.deepEqual(callIds(), ['b']);
  });

  test('it is a ring: messages, octets and followed calls are bounded, the newest stay', () => {
    const many = capture({}, { messages: 100 });
    for (let i = 0; i < 1000; i++) many.take(requestText({ callId: `${i}` }));
    assert.ok(many.kept.messages().length <= 100);
    assert.equal(many.callIds().at(-1), '999');
    assert.equal(many.kept.state().lost + many.kept.state().kept, 1000);

    const large = capture({}, { bytes: 50_000, messageBytes: 2000 });
    for (let i = 0; i < 100; i++)
      large.take(requestText({ callId: `${i}`, headers: [`Subject: ${'x'.repeat(9000)}`] }));
    assert.ok(large.kept.messages().reduce((sum, { text }) => sum + text.length, 0) <= 50_000);

    const followed = capture({ address: '192.0.2.7' }, { callIds: 10 });
    for (let i = 0; i < 100; i++) followed.take(requestText({ callId: `${i}` }), '192.0.2.7');
    followed.take(requestText({ callId: '0' }));
    followed.take(requestText({ callId: '99' }));
    assert.equal(followed.callIds().length, 101);
  });

  test('a new start drops what was there', () => {
    const { kept, take, callIds } = capture({});
    take(requestText({ callId: 'old' }));
    kept.start({});
    assert.deepEqual(callIds(), []);
    assert.deepEqual(kept.state(), { active: true, filter: {}, kept: 0, lost: 0 });
  });

  test('credentials, media keys and private bodies are masked, folded lines too', () => {
    const secret = 'Digest username="1001", response="5ecre7", cnonce="5ecre7"';
    const text = requestText({
      method: 'INVITE',
      headers: [
        `Authorization: ${secret}`,
        `proxy-authorization : Digest username="x",\r\n response="5ecre7",\r\n\tnonce="5ecre7"`,
        'Content-Type: application/sdp',
        'Subject: stays',
      ],
      body: 'v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:5ecre7|2^20\r\na=sendrecv\r\n',
    });
    const masked = maskedText(text);
    assert.doesNotMatch(masked, /5ecre7/);
    assert.match(masked, /^Authorization: Digest \*\*\*\r\n/m);
    assert.match(masked, /Subject: stays\r\n/);
    assert.match(masked, /a=crypto:1 AES_CM_128_HMAC_SHA1_80 \*\*\*\r\na=sendrecv/);
    const note = requestText({ headers: ['Content-Type: text/plain'], body: 'my PIN is 5ecre7' });
    assert.match(maskedText(note), /\r\n\r\n\(16 octets not shown\)$/);
    assert.equal(
      maskedText(requestText({ callId: 'plain', branch: 'z9hG4bKp' })),
      requestText({ callId: 'plain', branch: 'z9hG4bKp' }),
    );
  });

  test('masking is linear in hostile texts', () => {
    for (const unit of ['Authorization: ', 'Authorization:\r\n ', '\r\n', 'a=crypto:1 ', ' \t']) {
      const startedMs = performance.now();
      maskedText(unit.repeat(16_384 / unit.length));
      assert.ok(performance.now() - startedMs < 500, JSON.stringify(unit));
    }
  });
});
