import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_HEADER_FIELDS } from '../../../src/sip/limits.js';
import { SipRequest, SipResponse } from '../../../src/sip/message.js';
import { isKeepAlive, parseMessage } from '../../../src/sip/parser.js';
import { createResponse } from '../../../src/sip/response.js';
import { serialize } from '../../../src/sip/serialize.js';
import { refusal, request, response } from '../../fixtures/sip/parsing.js';
import { sip } from '../../fixtures/sip/sip-text.js';
import { leastMs } from '../../support/least-time.js';

const LINES = [
  'OPTIONS sip:bob@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1',
  'From: <sip:alice@example.com>;tag=a',
  'To: <sip:bob@example.com>',
  'Call-ID: c1@192.0.2.1',
  'CSeq: 1 OPTIONS',
  'Max-Forwards: 70',
];

/** The base message with lines replaced (by the start of the line), dropped or added. */
function message(changes: Readonly<Record<string, string | undefined>> = {}, body = ''): Buffer {
  const left = new Map(Object.entries(changes));
  const lines = LINES.map((line) => {
    const key = [...left.keys()].find((start) => line.startsWith(start));
    if (key === undefined) return line;
    const to = left.get(key);
    left.delete(key);
    return to;
  });
  const all = [...lines, ...left.values()].filter((line) => line !== undefined);
  return Buffer.from(`${all.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}

test('RFC 3261 §18.3: without Content-Length the body is the rest of the datagram', () => {
  assert.equal(request(message({}, 'hello')).body.toString(), 'hello');
});

test('RFC 3261 §18.3: bytes after Content-Length are dropped, missing ones are an error', () => {
  assert.equal(request(message({ x: 'Content-Length: 2' }, 'hello')).body.toString(), 'he');
  assert.equal(request(message({ x: 'l: 0' }, 'hello')).body.length, 0);
  const error = refusal(message({ x: 'Content-Length: 6' }, 'hello'));
  assert.deepEqual([error.statusCode, error.reasonPhrase], [400, 'Body Shorter Than Content-Length']);
  assert.equal(error.request?.callId, 'c1@192.0.2.1');
});

test('RFC 3261 §7.4.2: the body is octets of its own', () => {
  const bytes = Buffer.concat([message(), Buffer.from([0, 255, 13, 10, 0])]);
  const { body } = request(bytes);
  bytes.fill(0x41);
  assert.deepEqual([...body], [0, 255, 13, 10, 0]);
});

test('RFC 3261 §20.14: Content-Length that is no number, or two that differ', () => {
  for (const value of ['-1', '+1', '1.0', 'five', '', '0x10', '1 2', '1, 1', '9'.repeat(30)])
    assert.equal(
      refusal(message({ x: `Content-Length: ${value}` })).reasonPhrase,
      'Bad Content-Length Header',
      value,
    );
  assert.equal(
    refusal(message({ x: 'Content-Length: 0', y: 'l: 1' }, 'a')).reasonPhrase,
    'Bad Content-Length Header',
  );
  assert.equal(request(message({ x: 'Content-Length: 1', y: 'l: 1' }, 'a')).body.length, 1);
});

test('RFC 3261 §7.5: line breaks before the start line are ignored', () => {
  assert.equal(request(Buffer.concat([Buffer.from('\r\n\r\n\n'), message()])).method, 'OPTIONS');
});

test('RFC 5626 §3.5: keep-alives are no messages', () => {
  for (const text of ['', '\r\n\r\n', '\0', '\0\0\0\0', '\r\n'])
    assert.equal(isKeepAlive(Buffer.from(text)), true);
  assert.equal(isKeepAlive(message()), false);
  assert.equal(refusal(Buffer.from('\r\n\r\n')).reasonPhrase, 'Empty Message');
});

test('RFC 3261 §8.1.1: header fields that are missing or there twice', () => {
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'CSeq'])
    assert.equal(refusal(message({ [`${name}:`]: undefined })).reasonPhrase, `Missing ${name} Header`);
  for (const name of ['From', 'To', 'Call-ID', 'CSeq', 'Max-Forwards']) {
    const line = LINES.find((text) => text.startsWith(`${name}:`));
    const error = refusal(message({ x: line }));
    assert.equal(error.reasonPhrase, `Duplicate ${name} Header`);
    assert.ok(error.request);
  }
  assert.equal(refusal(message({ x: 'i: other' })).reasonPhrase, 'Duplicate Call-ID Header');
  assert.equal(request(message({ 'Max-Forwards': undefined })).has('max-forwards'), false);
});

test('RFC 3261 §8.1.1, §20.22: header fields with wrong syntax', () => {
  for (const [start, line, phrase] of [
    ['Via:', 'Via: SIP/2.0/UDP', 'Bad Via Header'],
    ['Via:', 'Via: ', 'Bad Via Header'],
    ['From:', 'From: <<sip:alice@example.com>', 'Bad From Header'],
    ['From:', 'From: <sip:a@b>;tag=1, <sip:c@d>;tag=2', 'Bad From Header'],
    ['To:', 'To: bob', 'Bad To Header'],
    ['Call-ID:', 'Call-ID: ', 'Bad Call-ID Header'],
    ['Call-ID:', 'Call-ID: a b', 'Bad Call-ID Header'],
    ['CSeq:', 'CSeq: 1', 'Bad CSeq Header'],
    ['CSeq:', 'CSeq: OPTIONS', 'Bad CSeq Header'],
    ['CSeq:', 'CSeq: -1 OPTIONS', 'Bad CSeq Header'],
    ['CSeq:', 'CSeq: 2147483648 OPTIONS', 'Bad CSeq Header'],
    ['CSeq:', 'CSeq: 1 OPTIONS x', 'Bad CSeq Header'],
    ['CSeq:', 'CSeq: 1 INVITE', 'CSeq Method Does Not Match Request Method'],
    ['CSeq:', 'CSeq: 1 options', 'CSeq Method Does Not Match Request Method'],
    ['Max-Forwards:', 'Max-Forwards: 256', 'Bad Max-Forwards Header'],
    ['Max-Forwards:', 'Max-Forwards: x', 'Bad Max-Forwards Header'],
    ['x', 'No colon here', 'Bad Header Line'],
    ['x', ': no name', 'Bad Header Line'],
    ['x', 'Bad(name): x', 'Bad Header Line'],
    ['x', 'X: a\rEvil: b', 'Bare CR in Header'],
  ] as const) {
    const error = refusal(message({ [start]: line }));
    assert.deepEqual([error.statusCode, error.reasonPhrase, error.sipStatus], [400, phrase, 400], line);
    assert.equal(error.code, 'SIP_PARSE');
  }
});

test('RFC 3261 §7.1, §21.5.6: request lines that are refused', () => {
  for (const [line, status] of [
    ['OPTIONS sip:bob@example.com SIP/3.0', 505],
    ['OPTIONS sip:bob@example.com SIP/2.1', 505],
    ['OPTIONS sip:bob@example.com HTTP/1.1', 400],
    ['OPTIONS sip:bob@example.com', 400],
    ['OPTIONS', 400],
    ['OPT(IONS sip:bob@example.com SIP/2.0', 400],
    ['OPTIONS sip:bob@ SIP/2.0', 400],
    ['OPTIONS bob SIP/2.0', 400],
    ['OPTIONS\tsip:bob@example.com\tSIP/2.0', 400],
  ] as const)
    assert.equal(refusal(message({ OPTIONS: line })).statusCode, status, line);
  // RFC 3261 §7.1: the version is compared without regard to case.
  assert.equal(request(message({ OPTIONS: 'OPTIONS sip:bob@example.com sip/2.0' })).method, 'OPTIONS');
});

test('RFC 3261 §7.2, §18.1.2: a malformed response is marked, so it can be dropped', () => {
  for (const line of [
    'SIP/2.0 99 x',
    'SIP/2.0 700 x',
    'SIP/3.0 200 OK',
    'SIP/2.0 2000 OK',
    'SIP/2.0 20 OK',
    'SIP/2.0',
  ])
    assert.equal(refusal(message({ OPTIONS: line })).isResponse, true, line);
  assert.equal(response(message({ OPTIONS: 'SIP/2.0 200' })).reasonPhrase, '');
});

test('RFC 3261 §7.3.1: folded lines and bare LF', () => {
  const folded = request(message({ x: 'Subject: a \r\n\t b\r\n  \r\n c' }));
  assert.equal(folded.get('subject'), 'a b c');
  const lf = Buffer.from(message().toString('latin1').replace(/\r/g, ''), 'latin1');
  assert.equal(request(Buffer.concat([lf, Buffer.from('x')])).body.toString(), 'x');
});

test('RFC 3261 §7: a header section without its end is refused', () => {
  const bytes = message();
  for (let length = 1; length < bytes.length; length++) refusal(bytes.subarray(0, length));
});

test('RFC 3261 §21.5.7: bounds of datagram size, number of header fields', () => {
  const large = refusal(message({}, 'x'.repeat(65_536)));
  assert.equal(large.statusCode, 513);
  const fields = (count: number): Buffer => message({ x: Array(count).fill('X: y').join('\r\n') });
  assert.equal(request(fields(MAX_HEADER_FIELDS - 6)).headers.length, MAX_HEADER_FIELDS);
  assert.equal(refusal(fields(MAX_HEADER_FIELDS - 5)).reasonPhrase, 'Too Many Header Fields');
});

test('bounds: parsing is linear in hostile header sections', () => {
  const size = 60_000;
  for (const filler of ['X: y\n', ' \n', '\r\n ', 'x\n', '\r', ':', 'x', 'Via:\r\n', ';', '"', 'a,', ';;=']) {
    const text = filler.repeat(size / filler.length);
    const least = leastMs(250, () => {
      for (const fields of [{ x: `X: ${text}` }, { 'Via:': `Via: ${text}` }])
        try {
          parseMessage(message(fields));
        } catch {}
    });
    assert.ok(least < 250, JSON.stringify(filler));
  }
});

test('RFC 3261 §8.2.6: a response takes over what it has to', () => {
  const bytes = sip`
INVITE sip:bob@example.com SIP/2.0
v: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2, SIP/2.0/TCP 192.0.2.8;branch=z9hG4bK1
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK0
Record-Route: <sip:192.0.2.9;lr>
f: Alice <sip:alice@example.com>;tag=a
t: sip:bob@example.com
i: c1
CSeq: 7 INVITE
Timestamp: 54

`;
  const ringing = createResponse(request(bytes), 180, undefined, 'b');
  assert.equal(
    serialize(ringing).toString(),
    [
      'SIP/2.0 180 Ringing',
      'v: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK2, SIP/2.0/TCP 192.0.2.8;branch=z9hG4bK1',
      'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK0',
      'f: Alice <sip:alice@example.com>;tag=a',
      'To: sip:bob@example.com;tag=b',
      'i: c1',
      'CSeq: 7 INVITE',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  );
  const trying = createResponse(request(bytes), 100, undefined, 'b');
  assert.deepEqual([trying.toTag, trying.get('timestamp')], [undefined, '54']);
  const inDialog = request(Buffer.from(bytes.toString().replace('t: sip:bob@example.com', '$&;tag=q')));
  assert.equal(createResponse(inDialog, 481, undefined, 'b').toTag, 'q');
  assert.equal(createResponse(inDialog, 481).reasonPhrase, 'Call/Transaction Does Not Exist');
  assert.equal(createResponse(inDialog, 499).reasonPhrase, 'Bad Request');
});

test('RFC 3261 §7: what is written has one line a field, whatever the strings hold', () => {
  const evil = new SipRequest('OPTIONS', 'sip:x\r\nEvil: 1');
  evil
    .append('Subject', 'a\r\nEvil: 2\nEvil: 3')
    .append('X\r\nEvil', '\u010d\u010aEvil: 4')
    .append('Name', '李');
  evil.append('Content-Length', '77').body = Buffer.from('häh');
  const text = serialize(evil).toString('utf8');
  assert.deepEqual(text.split('\r\n'), [
    'OPTIONS sip:x Evil: 1 SIP/2.0',
    'Subject: a Evil: 2 Evil: 3',
    'X Evil: \u010d\u010aEvil: 4',
    'Name: 李',
    'Content-Length: 4',
    '',
    'häh',
  ]);
  assert.equal(
    serialize(new SipResponse(200, 'O\nK')).toString(),
    'SIP/2.0 200 O K\r\nContent-Length: 0\r\n\r\n',
  );
});

test('message: cached parts follow changes of their header fields', () => {
  const options = request(message());
  assert.deepEqual([options.topVia?.branch, options.cseq?.seq], ['z9hG4bK1', 1]);
  options
    .prepend('Via', 'SIP/2.0/TCP h;branch=z9hG4bK2')
    .set('CSeq', '2 OPTIONS')
    .set('t', '<sip:b@c>;tag=t');
  assert.deepEqual([options.topVia?.branch, options.cseq?.seq, options.toTag], ['z9hG4bK2', 2, 't']);
  options.removeFirst('via').requestUri = 'sip:other@example.net';
  assert.deepEqual([options.topVia?.branch, options.uri?.user], ['z9hG4bK1', 'other']);
});

test('RFC 3261 §8.1.1.4, §19.3: what names a dialog is visible ASCII without |, or the request is refused', () => {
  for (const bad of ['a|b', 'a\0b', 'a\x7fb', 'caf\xe9', 'caf\xc3\xa9', '', 'a b']) {
    assert.equal(refusal(message({ 'Call-ID': `Call-ID: ${bad}` })).reasonPhrase, 'Bad Call-ID Header');
  }
  for (const bad of ['a|b', 'a\0b', 'caf\xe9', '"a|b"']) {
    const from = message({ From: `From: <sip:alice@example.com>;tag=${bad}` });
    assert.equal(refusal(from).reasonPhrase, 'Bad From Header', bad);
    const to = message({ To: `To: <sip:bob@example.com>;tag=${bad}` });
    assert.equal(refusal(to).reasonPhrase, 'Bad To Header', bad);
  }
  const odd = '==x;from-tag=y,{"<q>"}#$&%00@h@h';
  assert.equal(request(message({ 'Call-ID': `Call-ID: ${odd}` })).callId, odd);
});
