import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContacts } from '../../../src/sip/contact.js';
import { parseRoutes } from '../../../src/sip/route.js';
import { parseUri } from '../../../src/sip/uri.js';
import { parseVia } from '../../../src/sip/via.js';
import { request, response, utf8 } from '../../fixtures/sip/parsing.js';
import * as rfc4475 from '../../fixtures/sip/rfc4475-valid.js';

test('RFC 4475 §3.1.1.1: a short tortuous INVITE', () => {
  const message = request(rfc4475.wsinv);
  assert.equal(message.requestUri, 'sip:vivekg@chair-dnrc.example.com;unknownparam');
  assert.equal(message.uri?.params.get('unknownparam'), '');
  assert.equal(message.to?.uri, 'sip:vivekg@chair-dnrc.example.com');
  assert.equal(message.toTag, '1918181833n');
  assert.equal(message.from?.displayName, 'J Rosenberg \\"');
  assert.equal(message.fromTag, '98asjd8');
  assert.deepEqual(message.cseq, { seq: 9, method: 'INVITE' });
  assert.equal(message.get('subject'), '');
  assert.equal(message.get('max-forwards'), '0068');
  assert.equal(message.get('newfangledheader'), 'newfangled value continued newfangled value');
  assert.equal(message.get('unknownheaderwithunusualvalue'), ';;,,;;,;');
  assert.equal(message.body.length, 150);
  const vias = message.list('via').map((text) => parseVia(text));
  assert.deepEqual(
    vias.map((via) => [via?.protocol, via?.host, via?.branch]),
    [
      ['UDP', '192.0.2.2', '390skdjuw'],
      ['TCP', 'spindle.example.com', 'z9hG4bK9ikj8'],
      ['UDP', '192.168.255.111', 'z9hG4bK30239'],
    ],
  );
  const [contact] = parseContacts(message) as NonNullable<Exclude<ReturnType<typeof parseContacts>, '*'>>;
  assert.equal(contact?.displayName, 'Quoted string ""');
  assert.equal(contact?.params.get('newparam'), 'newvalue');
  assert.equal(contact?.params.get('secondparam'), '');
  assert.equal(contact?.q, 0.33);
  const [route] = parseRoutes(message, 'route') ?? [];
  assert.equal(route?.isLoose, true);
  assert.equal(route?.sipUri.params.get('unknownwith'), 'value');
});

test('RFC 4475 §3.1.1.2: wide range of valid characters', () => {
  const message = request(rfc4475.intmeth);
  assert.equal(message.method, "!interesting-Method0123456789_*+`.%indeed'~");
  assert.equal(message.cseq?.method, message.method);
  assert.equal(message.uri?.user, "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*");
  assert.equal(message.uri?.password, "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)");
  assert.equal(message.uri?.host, 'example.com');
  assert.equal(message.topVia?.branch, "z9hG4bK-.!%66*_+`'~");
  assert.equal(message.to?.displayName, 'BEL:\x07 NUL:\0 DEL:\x7f');
  assert.equal(message.from?.displayName, "token1~` token2'+_ token3*%!.-");
  assert.equal(utf8(message.from?.params.get("fromparam''~+*_!.-%")), '"работающий"');
  assert.equal(message.fromTag, "_token~1'+`*%!-.");
  assert.equal(message.callId, `intmeth.word%ZK-!.*_+'@word\`~)(><:\\/"][?}{`);
  assert.equal(utf8(message.get("extensionheader-!.%*+_`'~")), '\ufeff大停電');
});

test('RFC 4475 §3.1.1.3: valid use of the % escaping mechanism', () => {
  const message = request(rfc4475.esc01);
  assert.equal(message.uri?.user, 'sips:user@example.com');
  assert.equal(message.uri?.host, 'example.net');
  assert.equal(parseUri(message.to?.uri ?? '')?.user, 'user');
  assert.equal(parseUri(message.from?.uri ?? '')?.user, 'I have spaces');
  const contacts = parseContacts(message);
  const uri = parseUri((contacts !== '*' && contacts?.[0]?.uri) || '');
  assert.equal(uri?.user, 'caller');
  assert.deepEqual(
    [...(uri?.params ?? [])],
    [
      ['lr', ''],
      ['name', 'value%41'],
    ],
  );
});

test('RFC 4475 §3.1.1.4: escaped nulls in URIs', () => {
  const message = request(rfc4475.escnull);
  assert.equal(parseUri(message.to?.uri ?? '')?.user, 'null-\0-null');
  const contacts = parseContacts(message);
  assert.ok(contacts && contacts !== '*');
  assert.deepEqual(
    contacts.map(({ uri }) => parseUri(uri)?.user),
    ['\0', '\0\0'],
  );
});

test('RFC 4475 §3.1.1.5: use of % when it is not an escape', () => {
  const message = request(rfc4475.esc02);
  assert.equal(message.method, 'RE%47IST%45R');
  assert.equal(message.to?.displayName, '%Z%45');
  assert.equal(message.from?.displayName, '%Z%45');
  assert.equal(message.topVia?.branch, 'z9hG4bK209%fzsnel234');
  assert.equal(message.list('contact').length, 2);
});

test('RFC 4475 §3.1.1.6: message with no LWS between display name and <', () => {
  assert.equal(request(rfc4475.lwsdisp).from?.displayName, 'caller');
});

test('RFC 4475 §3.1.1.7: long values in header fields', () => {
  const message = request(rfc4475.longreq);
  assert.equal(message.list('via').length, 34);
  assert.equal(
    message.list('via').every((text) => parseVia(text) !== undefined),
    true,
  );
  assert.equal(message.fromTag?.length, 155);
  assert.equal(parseUri(message.to?.uri ?? '')?.port, 6000);
  assert.equal(message.callId?.length, 'longreq.onelongcallid'.length + 120);
  assert.equal(message.body.length, 150);
});

test('RFC 4475 §3.1.1.8: extra trailing octets in a UDP datagram', () => {
  const message = request(rfc4475.dblreq);
  assert.equal(message.method, 'REGISTER');
  assert.equal(message.body.length, 0);
});

test('RFC 4475 §3.1.1.9: semicolon-separated parameters in URI user part', () => {
  const message = request(rfc4475.semiuri);
  assert.equal(message.uri?.user, 'user;par=u@example.net');
  assert.equal(message.uri?.params.size, 0);
  assert.equal(message.list('accept').length, 6);
});

test('RFC 4475 §3.1.1.10: varied and unknown transport types', () => {
  const transports = request(rfc4475.transports)
    .list('via')
    .map((text) => parseVia(text)?.protocol);
  assert.deepEqual(transports, ['UDP', 'SCTP', 'TLS', 'UNKNOWN', 'TCP']);
});

test('RFC 4475 §3.1.1.11: multipart MIME message', () => {
  const message = request(rfc4475.mpart01);
  assert.equal(message.body.length, 553);
  assert.equal(message.topVia?.hasRport, true);
  assert.equal(message.topVia?.rport, undefined);
  assert.ok(message.body.includes(Buffer.from('3082015206092a864886f70d010702', 'hex')));
});

test('RFC 4475 §3.1.1.12: unusual reason phrase', () => {
  const message = response(rfc4475.unreason);
  assert.equal(message.statusCode, 200);
  assert.equal(utf8(message.reasonPhrase), '= 2**3 * 5**2 но сто девяносто девять - простое');
  assert.equal(message.body.length, 154);
});

test('RFC 4475 §3.1.1.13: empty reason phrase', () => {
  const message = response(rfc4475.noreason);
  assert.equal(message.statusCode, 100);
  assert.equal(message.reasonPhrase, '');
});
