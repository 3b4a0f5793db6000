import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LocalNames } from '../../../src/signalling/local-names.js';
import {
  contacts,
  cseqNumber,
  hasToTag,
  header,
  headerList,
  headerNumber,
  numberOf,
  party,
  peerOf,
} from '../../../src/signalling/request.js';
import { srfRequest } from '../../support/srf-message.js';

function request(...lines: string[]) {
  return srfRequest(['INVITE sip:1002@ims SIP/2.0', ...lines, 'Content-Length: 0', '', ''].join('\r\n'));
}

test('RFC 3261 §7.3.3: compact and oddly spelled names are found', () => {
  const req = request('f: <sip:a@b>;tag=1', 't: <sip:c@d>', 'o: presence', 'x: 90', 'sUPPORTED: timer');
  assert.equal(header(req, 'From'), '<sip:a@b>;tag=1');
  assert.equal(header(req, 'Event'), 'presence');
  assert.equal(header(req, 'Session-Expires'), '90');
  assert.equal(header(req, 'Supported'), 'timer');
  assert.equal(header(req, 'Require'), undefined);
  assert.equal(header(request('X-Thing: 1'), 'x-thing'), '1');
  assert.equal(header(request('P-Early-Media: supported'), 'p-early-media'), 'supported');
});

test('RFC 3261 §7.3.1: lists over several lines, folded lines', () => {
  const req = request('Require: a, b', 'Require: c', 'Subject: one\r\n  two');
  assert.deepEqual(headerList(req, 'require'), ['a', 'b', 'c']);
  assert.deepEqual(headerList(req, 'unsupported'), []);
  assert.equal(header(req, 'subject'), 'one two');
});

test('RFC 3261 §20.10: contacts', () => {
  assert.equal(contacts(request('Contact: *')), '*');
  assert.deepEqual(contacts(request()), []);
  const list = contacts(request('m: <sip:a@b;x=1>;q=0.3, "A, B" <sip:c@d>'));
  assert.ok(list !== '*');
  assert.deepEqual(
    list.map((contact) => [contact.uri, contact.q]),
    [
      ['sip:a@b;x=1', 0.3],
      ['sip:c@d', undefined],
    ],
  );
  for (const bad of ['<sip:a@b', '*, <sip:a@b>', 'x', '<sip:a@b>;;=1'])
    assert.throws(() => contacts(request(`Contact: ${bad}`)), { sipStatus: 400 }, bad);
});

test('parties, tags, numbers', () => {
  const req = request('From: "A" <sip:1001@ims>;tag=x', 'To: sip:1002@ims', 'CSeq: 7 INVITE', 'Expires: 30');
  assert.deepEqual([party(req, 'from').uri, party(req, 'from').tag], ['sip:1001@ims', 'x']);
  assert.equal(hasToTag(req), false);
  assert.equal(cseqNumber(req), 7);
  assert.equal(headerNumber(req, 'expires'), 30);
  assert.equal(headerNumber(req, 'min-se'), undefined);
  assert.ok(Number.isNaN(headerNumber(request('Expires: -1'), 'expires')));
  for (const bad of ['', 'x INVITE', '99999999999 INVITE', '2147483648 INVITE'])
    assert.throws(() => cseqNumber(request(`CSeq: ${bad}`)), { sipStatus: 400 });
  for (const bad of ['', '<<sip:a>', '"x'])
    assert.throws(() => party(request(`From: ${bad}`), 'from'), { sipStatus: 400 });
});

test('RFC 3261 §19.1.6, RFC 3966: clean numbers', () => {
  const cases: [string, string][] = [
    ['sip:1001@ims', '1001'],
    ['sips:+8613800000000;phone-context=x@ims;user=phone', '+8613800000000'],
    ['sip:%31001@ims', '1001'],
    ['tel:+1-555-(01)00.1', '+155501001'],
    ['sip:ims', ''],
    ['nonsense', ''],
  ];
  for (const [uri, number] of cases) assert.equal(numberOf(uri), number, uri);
});

test('RFC 7118 §5.2.1: WebSocket shows as tcp on the wire; Via tells', () => {
  const text = (via: string): string =>
    `OPTIONS sip:ims SIP/2.0\r\nVia: SIP/2.0/${via} x.invalid;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n`;
  assert.equal(peerOf(srfRequest(text('WS'), { protocol: 'tcp' })).protocol, 'ws');
  assert.equal(peerOf(srfRequest(text('WSS'), { protocol: 'tcp' })).protocol, 'wss');
  assert.equal(peerOf(srfRequest(text('TCP'), { protocol: 'tcp' })).protocol, 'tcp');
  assert.equal(peerOf(srfRequest(text('WS'), { protocol: 'udp' })).protocol, 'udp');
  assert.deepEqual(peerOf(srfRequest(text('UDP'), { address: '2001:db8::1', port: 5070 })), {
    protocol: 'udp',
    address: '2001:db8::1',
    port: 5070,
  });
});

test('RFC 3261 §19.1.4: our own names, without regard to case', () => {
  const names = new LocalNames(['ims', 'SIP.example.org.', '[2001:DB8::1]', '0.0.0.0', '']);
  for (const host of ['IMS', 'sip.example.org', '2001:db8::1', '[2001:db8::1]'])
    assert.ok(names.has(host), host);
  for (const host of ['', '0.0.0.0', 'example.org', 'ims2']) assert.equal(names.has(host), false, host);
});
