import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseContacts } from '../../../src/sip/contact.js';
import { parseChallenges, parseCredentials } from '../../../src/sip/digest-headers.js';
import { SipParseError } from '../../../src/sip/errors.js';
import type { SipMessage } from '../../../src/sip/message.js';
import { parseNameAddr } from '../../../src/sip/name-addr.js';
import { parseMessage } from '../../../src/sip/parser.js';
import { parseRAck } from '../../../src/sip/reliability.js';
import { createResponse } from '../../../src/sip/response.js';
import { parseRoutes } from '../../../src/sip/route.js';
import { serialize } from '../../../src/sip/serialize.js';
import { parseSessionExpires } from '../../../src/sip/session-expires.js';
import { StreamParser } from '../../../src/sip/stream-parser.js';
import { formatUri, parseUri } from '../../../src/sip/uri.js';
import { parseVia } from '../../../src/sip/via.js';
import { seeded } from '../../fixtures/sip/random.js';
import * as invalid from '../../fixtures/sip/rfc4475-invalid.js';
import * as semantics from '../../fixtures/sip/rfc4475-semantics.js';
import * as valid from '../../fixtures/sip/rfc4475-valid.js';
import * as rfc5118 from '../../fixtures/sip/rfc5118.js';
import { leastMs } from '../../support/least-time.js';

const SEEDS: readonly Buffer[] = [valid, invalid, semantics, rfc5118].flatMap((module) =>
  Object.values(module),
);
const RUNS = 20_000;
const BITS = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '\t',
  ':',
  ';',
  ',',
  '"',
  '\\',
  '<',
  '>',
  '@',
  '=',
  '%',
  '[',
  ']',
  '(',
  '/',
  '?',
  '*',
  'SIP/2.0',
  'Via: ',
  'l: ',
  'Content-Length: ',
  '-1',
  '99999999999999999999',
  '\r\n\r\n',
  '\r\n ',
  '\xff',
  'sip:',
].map((text) => Buffer.from(text, 'latin1'));

/** One to four random changes: a byte, a cut, an insertion, a part doubled or taken from another message. */
function mutate(bytes: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  let out = Buffer.from(bytes);
  for (let i = below(4); i >= 0; i--) {
    const at = below(out.length + 1);
    const to = Math.min(out.length, at + below(40));
    const other = SEEDS[below(SEEDS.length)]!;
    const from = below(other.length);
    const inserts = [
      Buffer.from([below(256)]),
      BITS[below(BITS.length)]!,
      out.subarray(at, to),
      other.subarray(from, from + below(60)),
    ];
    const insert = random() < 0.2 ? Buffer.alloc(0) : inserts[below(inserts.length)]!;
    out = Buffer.concat([out.subarray(0, at), insert, out.subarray(random() < 0.5 ? at : to)]);
  }
  return out;
}

/** Everything that code above reads out of a message. */
function readAll(message: SipMessage): void {
  for (const field of message.headers) {
    message.list(field.key);
    parseUri(field.value);
  }
  parseContacts(message);
  parseRoutes(message, 'route');
  parseRoutes(message, 'record-route');
  parseCredentials(message.get('authorization') ?? '');
  parseChallenges(message.getAll('www-authenticate'));
  const uri = message.type === 'request' ? message.uri : undefined;
  if (uri) assert.deepEqual(parseUri(formatUri(uri)), uri);
}

test('hostile bytes: random changes give a message or a SipParseError, nothing else', () => {
  const random = seeded(20260101);
  let accepted = 0;
  for (let i = 0; i < RUNS; i++) {
    const bytes = mutate(SEEDS[i % SEEDS.length]!, random);
    try {
      const message = parseMessage(bytes);
      accepted++;
      readAll(message);
      const again = parseMessage(serialize(message));
      assert.deepEqual(again.body, message.body, `run ${i}`);
      const known = ({ key }: { key: string }): boolean => key !== 'content-length';
      assert.deepEqual(again.headers.filter(known), message.headers.filter(known), `run ${i}`);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
      assert.ok(error.statusCode >= 400 && error.statusCode <= 699);
      if (error.request) serialize(createResponse(error.request, error.statusCode, error.reasonPhrase, 't'));
    }
  }
  assert.ok(accepted > RUNS / 20 && accepted < RUNS, `${accepted} accepted`);
});

test('hostile bytes: a stream parser never throws, and says the end once', () => {
  const random = seeded(42);
  for (let i = 0; i < RUNS / 4; i++) {
    let fatal = 0;
    const parser = new StreamParser({
      onMessage: () => assert.equal(fatal, 0),
      onPing: () => assert.equal(fatal, 0),
      onError(_error, isFatal) {
        assert.equal(fatal, 0);
        if (isFatal) fatal++;
      },
    });
    const bytes = Buffer.concat([mutate(SEEDS[i % SEEDS.length]!, random), SEEDS[(i * 7) % SEEDS.length]!]);
    const half = Math.floor(random() * bytes.length);
    parser.push(bytes.subarray(0, half));
    parser.push(bytes.subarray(half));
    assert.equal(parser.isDead, fatal === 1);
  }
});

test('hostile bytes: pure noise', () => {
  const random = seeded(3);
  for (let i = 0; i < 5_000; i++) {
    const noise = Buffer.from(
      Array.from({ length: Math.floor(random() * 200) }, () => Math.floor(random() * 256)),
    );
    assert.throws(() => parseMessage(noise), SipParseError);
  }
});

test('hostile bytes: parsers of header values are linear', () => {
  const parsers: readonly ((text: string) => unknown)[] = [
    parseNameAddr,
    parseVia,
    parseUri,
    parseRAck,
    parseSessionExpires,
    parseCredentials,
    (text) => parseChallenges([text, `Digest realm="r", nonce="n", qop="${text}"`]),
    (text) => parseNameAddr(`"${text}" <sip:a@b>;x="${text}"`),
    (text) => parseUri(`sip:a@${text}`),
    (text) => parseUri(`tel:${text}`),
    (text) => parseCredentials(`Digest username*=UTF-8''${text}`),
  ];
  const units = [
    ' ',
    '\t',
    'a',
    '-',
    '.',
    '%',
    '%41',
    '"',
    '\\',
    '<',
    '>',
    ';',
    '=',
    ',',
    'a=',
    'a=b,',
    'Digest ',
    '[',
    ':',
    '@',
    '(',
  ];
  for (const parse of parsers)
    for (const unit of units) {
      const text = unit.repeat(60_000 / unit.length);
      assert.ok(leastMs(300, () => parse(text)) < 300, `${parse} ${JSON.stringify(unit)}`);
    }
});

test('RFC 3261 §7: what is well-formed comes out as it went in', () => {
  for (const bytes of SEEDS) {
    let message: SipMessage;
    try {
      message = parseMessage(bytes);
    } catch {
      continue;
    }
    const written = serialize(message);
    assert.deepEqual(serialize(parseMessage(written)), written);
    assert.equal(written.toString('latin1').match(/^content-length:/gim)?.length, 1);
  }
});
