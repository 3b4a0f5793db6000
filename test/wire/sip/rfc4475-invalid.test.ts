import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContacts } from '../../../src/sip/contact.js';
import { parseCredentials } from '../../../src/sip/digest-headers.js';
import { createResponse } from '../../../src/sip/response.js';
import { serialize } from '../../../src/sip/serialize.js';
import { parseUri, uriScheme } from '../../../src/sip/uri.js';
import { refusal, request, response } from '../../fixtures/sip/parsing.js';
import * as invalid from '../../fixtures/sip/rfc4475-invalid.js';
import * as semantics from '../../fixtures/sip/rfc4475-semantics.js';

interface Refused {
  readonly title: string;
  readonly bytes: Buffer;
  readonly status: number;
  readonly phrase: string;
}

const REFUSED: readonly Refused[] = [
  {
    title: 'RFC 4475 §3.1.2.1: extraneous header field separators',
    bytes: invalid.badinv01,
    status: 400,
    phrase: 'Bad Via Header',
  },
  {
    title: 'RFC 4475 §3.1.2.2: Content-Length larger than message',
    bytes: invalid.clerr,
    status: 400,
    phrase: 'Body Shorter Than Content-Length',
  },
  {
    title: 'RFC 4475 §3.1.2.3: negative Content-Length',
    bytes: invalid.ncl,
    status: 400,
    phrase: 'Bad Content-Length Header',
  },
  {
    title: 'RFC 4475 §3.1.2.4: request scalar fields with overlarge values',
    bytes: invalid.scalar02,
    status: 400,
    phrase: 'Bad CSeq Header',
  },
  {
    title: 'RFC 4475 §3.1.2.6: unterminated quoted string in display name',
    bytes: invalid.quotbal,
    status: 400,
    phrase: 'Bad To Header',
  },
  {
    title: 'RFC 4475 §3.1.2.7: <> enclosing Request-URI',
    bytes: invalid.ltgtruri,
    status: 400,
    phrase: 'Bad Request-URI',
  },
  {
    title: 'RFC 4475 §3.1.2.8: malformed Request-URI (embedded LWS)',
    bytes: invalid.lwsruri,
    status: 400,
    phrase: 'Bad Request-Line',
  },
  {
    title: 'RFC 4475 §3.1.2.9: multiple SP separating Request-Line elements',
    bytes: invalid.lwsstart,
    status: 400,
    phrase: 'Bad Request-Line',
  },
  {
    title: 'RFC 4475 §3.1.2.10: SP characters at end of Request-Line',
    bytes: invalid.trws,
    status: 400,
    phrase: 'Bad Request-Line',
  },
  {
    title: 'RFC 4475 §3.1.2.11: escaped headers in Request-URI',
    bytes: invalid.escruri,
    status: 400,
    phrase: 'Headers in Request-URI',
  },
  {
    title: 'RFC 4475 §3.1.2.15: non-token characters in display name',
    bytes: invalid.baddn,
    status: 400,
    phrase: 'Bad From Header',
  },
  {
    title: 'RFC 4475 §3.1.2.16: unknown protocol version',
    bytes: invalid.badvers,
    status: 505,
    phrase: 'Version Not Supported',
  },
  {
    title: 'RFC 4475 §3.1.2.17: start line and CSeq method mismatch',
    bytes: invalid.mismatch01,
    status: 400,
    phrase: 'CSeq Method Does Not Match Request Method',
  },
  {
    title: 'RFC 4475 §3.1.2.18: unknown method with CSeq method mismatch',
    bytes: invalid.mismatch02,
    status: 400,
    phrase: 'CSeq Method Does Not Match Request Method',
  },
  {
    title: 'RFC 4475 §3.3.8: multiple values in single value required fields',
    bytes: semantics.multi01,
    status: 400,
    phrase: 'Duplicate CSeq Header',
  },
  {
    title: 'RFC 4475 §3.3.9: multiple Content-Length values',
    bytes: semantics.mcl01,
    status: 400,
    phrase: 'Bad Content-Length Header',
  },
];

for (const { title, bytes, status, phrase } of REFUSED)
  test(title, () => {
    const error = refusal(bytes);
    assert.deepEqual([error.statusCode, error.reasonPhrase, error.isResponse], [status, phrase, false]);
    assert.ok(error.request);
    const answer = serialize(createResponse(error.request, error.statusCode, error.reasonPhrase, 'x1'));
    const lines = answer.toString('latin1').split('\r\n');
    assert.equal(lines[0], `SIP/2.0 ${status} ${phrase}`);
    for (const name of ['via', 'from', 'to', 'call-id', 'cseq'])
      assert.equal(lines.filter((line) => line.toLowerCase().startsWith(`${name}:`)).length, 1, name);
  });

test('RFC 4475 §3.1.2.5: response scalar fields with overlarge values are dropped', () => {
  const error = refusal(invalid.scalarlg);
  assert.equal(error.isResponse, true);
  assert.equal(error.request, undefined);
});

test('RFC 4475 §3.1.2.12: a Date with a zone other than GMT is ignored', () => {
  assert.equal(request(invalid.baddate).get('date'), 'Fri, 01 Jan 2010 16:00:00 EST');
});

test('RFC 4475 §3.1.2.13: a Contact with ? outside <> is malformed', () => {
  assert.equal(parseContacts(request(invalid.regbadct)), undefined);
});

test('RFC 4475 §3.1.2.14: spaces within addr-spec are ignored', () => {
  assert.equal(request(invalid.badaspec).to?.uri, 'sip:t.watson@example.org');
});

test('RFC 4475 §3.1.2.19: overlarge response code is dropped', () => {
  assert.equal(refusal(invalid.bigcode).isResponse, true);
});

test('RFC 4475 §3.2.1: missing transaction identifier does not break the parser', () => {
  assert.equal(request(semantics.badbranch).topVia?.branch, 'z9hG4bK');
});

test('RFC 4475 §3.3.1: missing required header fields', () => {
  const error = refusal(semantics.insuf);
  assert.deepEqual([error.statusCode, error.reasonPhrase], [400, 'Missing From Header']);
  assert.ok(error.request);
  const answer = createResponse(error.request, 400, undefined, 'x1');
  assert.deepEqual(
    answer.headers.map(({ key }) => key),
    ['via', 'cseq'],
  );
});

test('RFC 4475 §3.3.2: Request-URI with unknown scheme is well-formed, so 416 can be said', () => {
  const message = request(semantics.unkscm);
  assert.equal(message.uri, undefined);
  assert.equal(uriScheme(message.requestUri), 'nobodyknowsthisscheme');
});

test('RFC 4475 §3.3.3: Request-URI with known but atypical scheme', () => {
  const message = request(semantics.novelsc);
  assert.equal(uriScheme(message.requestUri), 'soap.beep');
});

test('RFC 4475 §3.3.4: unknown URI schemes in header fields', () => {
  const message = request(semantics.unksm2);
  assert.equal(message.to?.uri, 'isbn:2983792873');
  assert.equal(message.from?.uri, 'http://www.example.com');
  assert.notEqual(parseContacts(message), undefined);
});

test('RFC 4475 §3.3.5: Proxy-Require and Require', () => {
  const message = request(semantics.bext01);
  assert.deepEqual(message.list('require'), ['nothingSupportsThis', 'nothingSupportsThisEither']);
  assert.deepEqual(message.list('proxy-require'), ['noProxiesSupportThis', 'norDoAnyProxiesSupportThis']);
});

test('RFC 4475 §3.3.6: unknown Content-Type', () => {
  const message = request(semantics.invut);
  assert.equal(message.get('content-type'), 'application/unknownformat');
  assert.equal(message.body.length, 40);
});

test('RFC 4475 §3.3.7: unknown authorization scheme', () => {
  assert.equal(parseCredentials(request(semantics.regaut01).get('authorization') ?? ''), undefined);
});

test('RFC 4475 §3.3.10: 200 OK response with broadcast Via header field value', () => {
  const message = response(semantics.bcast);
  assert.equal(message.topVia?.host, '192.0.2.198');
  assert.equal(message.list('via').length, 2);
});

test('RFC 4475 §3.3.11: Max-Forwards of zero', () => {
  assert.equal(request(semantics.zeromf).get('max-forwards'), '0');
});

test('RFC 4475 §3.3.12: REGISTER with a Contact header parameter', () => {
  const contacts = parseContacts(request(semantics.cparam01));
  assert.ok(contacts && contacts !== '*');
  assert.equal(contacts[0]?.uri, 'sip:+19725552222@gw1.example.net');
  assert.equal(contacts[0]?.params.has('unknownparam'), true);
});

test('RFC 4475 §3.3.13: REGISTER with a URL parameter', () => {
  const contacts = parseContacts(request(semantics.cparam02));
  assert.ok(contacts && contacts !== '*');
  assert.equal(contacts[0]?.params.has('unknownparam'), false);
  assert.equal(parseUri(contacts[0]?.uri ?? '')?.params.has('unknownparam'), true);
});

test('RFC 4475 §3.3.14: REGISTER with a URL escaped header', () => {
  const contacts = parseContacts(request(semantics.regescrt));
  assert.ok(contacts && contacts !== '*');
  const uri = parseUri(contacts[0]?.uri ?? '');
  assert.deepEqual(uri?.headers, [{ name: 'Route', value: '<sip:sip.example.com>' }]);
});

test('RFC 4475 §3.3.15: unacceptable Accept offering', () => {
  assert.equal(request(semantics.sdp01).get('accept'), 'text/nobodyKnowsThis');
});

test('RFC 4475 §3.4.1: INVITE with RFC 2543 syntax', () => {
  const message = request(semantics.inv2543);
  assert.equal(message.fromTag, undefined);
  assert.equal(message.topVia?.branch, undefined);
  assert.equal(message.to?.params.get('user'), 'phone');
  assert.match(message.body.toString(), /^v=0\r\n[\s\S]*RTP\/AVP 0\r\n$/);
});
