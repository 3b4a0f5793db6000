import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { dialogInfo } from '../../../src/events/dialog-info.js';

const BOB = { username: '1002', realm: 'ims', displayName: 'Bob "the <builder>" & Co' };

describe('a dialog-info document', () => {
  test('RFC 4235 §4.1: of a user in no call it has no dialogs', () => {
    assert.equal(
      dialogInfo(BOB, 0, []),
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="0" state="full" entity="sip:1002@ims">',
        '</dialog-info>',
        '',
      ].join('\r\n'),
    );
  });

  test('RFC 4235 §4.1.1, §4.1.2, §4.1.6: has each dialog with its names, state and parties, escaped', () => {
    const text = dialogInfo(BOB, 7, [
      {
        id: 'x.1002',
        callId: 'a&b@host',
        localTag: 'l"1',
        remoteTag: 'r1',
        direction: 'recipient',
        state: 'early',
        remote: { number: '1001', displayName: 'Ann\u0000 \ud800e' },
      },
    ]);
    assert.equal(
      text,
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" entity="sip:1002@ims">',
        '<dialog id="x.1002" call-id="a&amp;b@host" local-tag="l&quot;1" remote-tag="r1" direction="recipient">',
        '<state>early</state>',
        '<local><identity display="Bob &quot;the &lt;builder&gt;&quot; &amp; Co">sip:1002@ims</identity><target uri="sip:1002@ims"/></local>',
        '<remote><identity display="Ann\ufffd \ufffde">sip:1001@ims</identity><target uri="sip:1001@ims"/></remote>',
        '</dialog>',
        '</dialog-info>',
        '',
      ].join('\r\n'),
    );
  });

  test('of very many dialogs it has the newest, so that it fits into a datagram', () => {
    const remote = { number: '9'.repeat(128), displayName: 'x'.repeat(40) };
    const many = Array.from({ length: 500 }, (_, i) => ({
      id: `id${i}.1002`,
      callId: 'c'.repeat(64),
      localTag: 't'.repeat(32),
      remoteTag: 't'.repeat(32),
      direction: 'recipient' as const,
      state: 'confirmed' as const,
      remote,
    }));
    const text = dialogInfo(BOB, 0, many);
    assert.ok(Buffer.byteLength(text) < 50_000, String(Buffer.byteLength(text)));
    assert.match(text, /id499\.1002/);
    assert.doesNotMatch(text, /id0\.1002/);
  });

  test('RFC 3323 §4.1: who hides from the callee hides from those who watch it', () => {
    const remote = { number: '', displayName: '' };
    const text = dialogInfo(BOB, 0, [
      { id: 'x', callId: 'c', direction: 'recipient', state: 'terminated', remote },
    ]);
    assert.match(text, /<remote><identity>sip:anonymous@anonymous\.invalid<\/identity>/);
    assert.match(text, /<dialog id="x" call-id="c" direction="recipient">\r\n<state>terminated<\/state>/);
  });
});
