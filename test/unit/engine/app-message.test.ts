import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fillLocalhost, toReachableContact } from '../../../src/engine/core/local-addressing.js';
import { parseAppMessage } from '../../../src/engine/drachtio/app-message-parser.js';
import { timeOfDay } from '../../../src/engine/drachtio/leader.js';

const parse = (...lines: string[]) => parseAppMessage(lines.join('\r\n'));
const fields = (...lines: string[]): string[] =>
  parse('MESSAGE sip:a SIP/2.0', ...lines, '', '').headers.map(({ name, value }) => `${name}: ${value}`);
const LOCAL = { protocol: 'udp', sentBy: { host: '192.0.2.1', port: 5070 } } as const;

describe('what an application writes', () => {
  test('is a request or a response, its body all the rest', () => {
    const request = parse('INVITE sip:placeholder SIP/2.0', 'Content-Length: 2', '', 'a\r\n\r\nb');
    assert.equal(request.kind === 'request' && request.uri, 'sip:placeholder');
    assert.equal(request.body, 'a\r\n\r\nb');
    const response = parse('SIP/2.0 480 Not here, sorry', '', '');
    assert.deepEqual(response.kind === 'response' && [response.statusCode, response.reasonPhrase], [
      480,
      'Not here, sorry',
    ]);
  });

  test('without a sensible start line is refused', () => {
    for (const line of [
      '',
      'INVITE',
      'INVITE  SIP/2.0',
      'INVITE a b SIP/2.0',
      'SIP/2.0 99 x',
      'SIP/2.0 700 x',
      'IN VITE sip:a SIP/2.0',
    ])
      assert.throws(() => parse(line, '', ''), { code: 'ENGINE_PAYLOAD' }, line);
  });

  test('keeps the names it may set, spelt as the RFCs do; X- as given', () => {
    assert.deepEqual(
      fields('cseq: 1 A', 'foo-bar: x', 'X-myHeader: y', 'k: timer', 'www-authenticate: Digest a=b'),
      ['CSeq: 1 A', 'Foo-Bar: x', 'X-myHeader: y', 'Supported: timer', 'WWW-Authenticate: Digest a=b'],
    );
  });

  test('loses what is the engine’s, and lines that are no header fields', () => {
    const lines = [
      'via: x',
      'v: x',
      'Route: x',
      'record-route: x',
      'RSeq: 1',
      'l: 5',
      'no colon',
      ': x',
      'a b: x',
      'é: x',
    ];
    assert.deepEqual(fields(...lines), []);
  });

  test('cannot end a line early', () => {
    assert.deepEqual(fields('Subject: a\nVia: b\rc\0d'), ['Subject: a Via: b c d']);
    const response = parse('SIP/2.0 200 a\nb', '', '');
    assert.equal(response.kind === 'response' && response.reasonPhrase, 'a b');
  });

  test('RFC 3261 §7.3.1: folded lines are one value', () => {
    assert.deepEqual(fields('Subject: a', ' b', '\tc'), ['Subject: a b c']);
  });
});

describe('our address in what an application writes', () => {
  test('replaces localhost behind an @, and alone where asked', () => {
    assert.equal(fillLocalhost('sip:a@localhost', LOCAL), '<sip:a@192.0.2.1:5070>');
    assert.equal(
      fillLocalhost('"A, B" <sip:a@localhost:9;x=y>;tag=1', LOCAL),
      '"A, B" <sip:a@192.0.2.1:5070;x=y>;tag=1',
    );
    assert.equal(fillLocalhost('<sip:localhost>', LOCAL), '<sip:localhost>');
    assert.equal(fillLocalhost('<sip:localhost>', LOCAL, true), '<sip:192.0.2.1:5070>');
    assert.equal(fillLocalhost('<sip:a@localhost.example>', LOCAL), '<sip:a@localhost.example>');
    assert.equal(fillLocalhost('not an address @localhost <', LOCAL), 'not an address @localhost <');
  });

  test('replaces another IPv4 address in a Contact, but no name and no IPv6 address', () => {
    assert.equal(
      toReachableContact('<sip:a@10.0.0.1:7;x=y;transport=tcp>', LOCAL),
      '<sip:a@192.0.2.1:5070;x=y;transport=udp>',
    );
    for (const kept of ['<sip:a@192.0.2.1:5070>', '<sip:a@host.example>', '<sip:a@[2001:db8::1]:5060>', '*'])
      assert.equal(toReachableContact(kept, LOCAL), kept);
  });

  test('times are those of the day in UTC', () => {
    assert.equal(timeOfDay(Date.UTC(2030, 1, 2, 3, 4, 5, 6)), '03:04:05.006000');
    assert.equal(timeOfDay(Date.UTC(2030, 1, 2, 23, 59, 59, 999)), '23:59:59.999000');
  });
});
