import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChallenges, parseCredentials } from '../../../src/sip/digest-headers.js';
import { SipParseError } from '../../../src/sip/errors.js';
import type { SipMessage } from '../../../src/sip/message.js';
import { parseNameAddr } from '../../../src/sip/name-addr.js';
import { parseMessage } from '../../../src/sip/parser.js';
import { parseRAck } from '../../../src/sip/reliability.js';
import { serialize } from '../../../src/sip/serialize.js';
import { parseSessionExpires } from '../../../src/sip/session-expires.js';
import { parseUri } from '../../../src/sip/uri.js';
import { parseVia } from '../../../src/sip/via.js';
import { seeded } from '../../fixtures/sip/random.js';
import { leastMs } from '../../support/least-time.js';
import { SEED_MESSAGES } from '../../support/mutate.js';

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
  for (const bytes of SEED_MESSAGES) {
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
