import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSdp } from '../../../src/sdp/session-description.js';
import { parseContacts } from '../../../src/sip/contact.js';
import { formatUri, parseUri } from '../../../src/sip/uri.js';
import { formatVia, parseVia } from '../../../src/sip/via.js';
import { refusal, request } from '../../fixtures/sip/parsing.js';
import * as rfc5118 from '../../fixtures/sip/rfc5118.js';

test('RFC 5118 §4.1: valid SIP message with an IPv6 reference', () => {
  const message = request(rfc5118.ipv6Good);
  assert.equal(message.uri?.host, '2001:db8::10');
  assert.equal(message.uri?.port, undefined);
  assert.equal(message.topVia?.host, '2001:db8::9:1');
  const contacts = parseContacts(message);
  assert.equal(parseUri((contacts !== '*' && contacts?.[0]?.uri) || '')?.host, '2001:db8::1');
  assert.equal(message.uri && formatUri(message.uri), 'sip:[2001:db8::10]');
});

test('RFC 5118 §4.2: an IPv6 reference without delimiters is refused', () => {
  const error = refusal(rfc5118.ipv6Bad);
  assert.deepEqual([error.statusCode, error.reasonPhrase], [400, 'Bad Request-URI']);
  assert.ok(error.request);
});

test('RFC 5118 §4.3: port ambiguous in a SIP URI is part of the address', () => {
  const { uri } = request(rfc5118.portAmbiguous);
  assert.deepEqual([uri?.host, uri?.port], ['2001:db8::10:5070', undefined]);
});

test('RFC 5118 §4.4: port unambiguous in a SIP URI', () => {
  const { uri } = request(rfc5118.portUnambiguous);
  assert.deepEqual([uri?.host, uri?.port], ['2001:db8::10', 5070]);
});

test('RFC 5118 §4.5: received is taken with and without delimiters', () => {
  assert.equal(request(rfc5118.receivedWithDelimiters).topVia?.received, '2001:db8::9:255');
  assert.equal(request(rfc5118.receivedWithoutDelimiters).topVia?.received, '2001:db8::9:255');
});

test('RFC 5118 §4.6: IPv6 addresses in a session description', () => {
  assert.match(request(rfc5118.ipv6InSdp).body.toString(), /c=IN IP6 2001:db8::20\r\n/);
});

test('RFC 5118 §4.7: IPv4 and IPv6 in one Via list', () => {
  const texts = request(rfc5118.multipleIpInHeaders).list('via');
  const vias = texts.map((text) => parseVia(text));
  assert.deepEqual(
    vias.map((via) => [via?.host, via?.port, via?.received]),
    [
      ['2001:db8::9:1', 6050, undefined],
      ['192.0.2.1', undefined, undefined],
      ['2001:db8::9:255', undefined, '192.0.2.200'],
    ],
  );
  assert.deepEqual(
    vias.map((via) => via && formatVia(via)),
    texts,
  );
});

test('RFC 5118 §4.8: IPv4 and IPv6 in one session description: each stream has the address of its own c= line', () => {
  const { streams } = parseSdp(request(rfc5118.multipleIpInSdp).body.toString());
  assert.deepEqual(
    streams.map(({ kind, port, address }) => [kind, port, address]),
    [
      ['audio', 22334, '192.0.2.1'],
      ['video', 6024, '2001:db8::1'],
    ],
  );
});

test('RFC 5118 §4.9: IPv4-mapped IPv6 addresses', () => {
  const message = request(rfc5118.ipv4Mapped);
  assert.deepEqual([message.topVia?.host, message.topVia?.port], ['::ffff:192.0.2.10', 19823]);
});

test('RFC 5118 §4.10: three colons before an IPv4 part are refused, two are taken', () => {
  assert.equal(refusal(rfc5118.threeColons).statusCode, 400);
  assert.equal(request(rfc5118.twoColons).uri?.host, '2001:db8::192.0.2.1');
});
