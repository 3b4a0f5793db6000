import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalKey, canonicalName } from '../../../src/sip/header-names.js';
import { formatNameAddr, parseNameAddr } from '../../../src/sip/name-addr.js';
import { parseDeltaSeconds, parseDigits, parseQValue } from '../../../src/sip/numbers.js';
import { quoteString, unquote } from '../../../src/sip/quoted-string.js';
import { parseRAck, parseRSeq } from '../../../src/sip/reliability.js';
import { parseSessionExpires } from '../../../src/sip/session-expires.js';
import { splitList } from '../../../src/sip/split.js';
import { isToken } from '../../../src/sip/token.js';
import { formatVia, parseVia } from '../../../src/sip/via.js';
import { leastMs } from '../../support/least-time.js';

test('RFC 3261 §7.3.1: a list is split at commas outside quotes, <> and comments', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['', []],
    [' , ,', []],
    ['a', ['a']],
    [' a , b,c ', ['a', 'b', 'c']],
    ['"x, \\", y" <sip:a,b@c>;p=1, <sip:d>', ['"x, \\", y" <sip:a,b@c>;p=1', '<sip:d>']],
    ['UA (one, (two, three)) x, next', ['UA (one, (two, three)) x', 'next']],
    ['sip:a(b,c@d', ['sip:a(b', 'c@d']],
    ['"open, a, b', ['"open, a, b']],
    ['<sip:open, a, b', ['<sip:open, a, b']],
    ['(open, a, b', ['(open, a, b']],
    [';;,,;;,;', [';;', ';;', ';']],
  ];
  for (const [text, items] of cases) assert.deepEqual(splitList(text), items, text);
});

test('RFC 3261 §7.3.1: splitting is linear in hostile lists', () => {
  for (const unit of ['"', '<', '(', ',', ',"', ',<', ' (', '\\', '" (<,']) {
    const list = `,${unit.repeat(65_000 / unit.length)}`;
    assert.ok(leastMs(200, () => splitList(list)) < 200, JSON.stringify(unit));
  }
});

test('RFC 3261 §7.3.3: header names are found in any case and in compact form', () => {
  for (const [name, key] of [
    ['Via', 'via'],
    ['v', 'via'],
    ['V', 'via'],
    ['CALL-ID', 'call-id'],
    ['i', 'call-id'],
    ['cAlL-iD', 'call-id'],
    ['k', 'supported'],
    ['X', 'session-expires'],
    ['X-Custom', 'x-custom'],
  ] as const)
    assert.equal(canonicalKey(name), key, name);
  for (const [key, name] of [
    ['call-id', 'Call-ID'],
    ['www-authenticate', 'WWW-Authenticate'],
    ['rseq', 'RSeq'],
    ['cseq', 'CSeq'],
    ['mime-version', 'MIME-Version'],
    ['x-some-thing', 'X-Some-Thing'],
    ['f', 'From'],
  ] as const)
    assert.equal(canonicalName(key), name);
});

test('RFC 3261 §20.10: name-addr and addr-spec', () => {
  const cases: readonly (readonly [string, string, string, readonly (readonly [string, string])[]])[] = [
    ['sip:a@b', '', 'sip:a@b', []],
    [
      'sip:a@b;tag=1;x',
      '',
      'sip:a@b',
      [
        ['tag', '1'],
        ['x', ''],
      ],
    ],
    ['<sip:a@b;tag=1>;TAG=2', '', 'sip:a@b;tag=1', [['tag', '2']]],
    ['Alice Smith <sip:a@b>', 'Alice Smith', 'sip:a@b', []],
    [
      '"A \\"<sip:x>\\" B" <sip:a@b> ; p = "q;r" ; s',
      'A "<sip:x>" B',
      'sip:a@b',
      [
        ['p', '"q;r"'],
        ['s', ''],
      ],
    ],
    ['"" <sip:a@b>', '', 'sip:a@b', []],
    ['< sip:a@b >;;tag=1;', '', 'sip:a@b', [['tag', '1']]],
    ['<sip:a@b>;tag=1;tag=2', '', 'sip:a@b', [['tag', '1']]],
    ['<tel:+1-201-555-0123;phone-context=x>', '', 'tel:+1-201-555-0123;phone-context=x', []],
    [
      '<sip:a@b>;reg-id=1;+sip.instance="<urn:uuid:0-1>"',
      '',
      'sip:a@b',
      [
        ['reg-id', '1'],
        ['+sip.instance', '"<urn:uuid:0-1>"'],
      ],
    ],
  ];
  for (const [text, displayName, uri, params] of cases) {
    const address = parseNameAddr(text);
    assert.ok(address, text);
    assert.deepEqual(
      [address.displayName, address.uri, [...address.params]],
      [displayName, uri, params],
      text,
    );
    assert.deepEqual(parseNameAddr(formatNameAddr(address)), address, text);
  }
});

test('RFC 3261 §20.10: what is no address is refused', () => {
  for (const text of [
    '',
    '*',
    'alice',
    '<alice>',
    '<sip:>',
    '<>',
    '<sip:a@b',
    '<<sip:a@b>',
    '<sip:a@b>>',
    '"open <sip:a@b>',
    '"x" y <sip:a@b>',
    '<sip:a@b>tag=1',
    '<sip:a@b>;tag=1 2',
    '<sip:a@b>;tag="open',
    '<sip:a@b>;=1',
    '<sip:a b@c>',
    'Smith, Alice <sip:a@b>',
    'sip:a@b?x=y',
    'sip:a@b,sip:c@d',
    '<sip:a@b>, <sip:c@d>',
  ])
    assert.equal(parseNameAddr(text), undefined, text);
});

test('RFC 3261 §20.42: Via is read and written', () => {
  const via = parseVia(
    'SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;rport;received=[2001:db8::1];ttl=16;maddr=[::1]',
  );
  assert.ok(via);
  assert.deepEqual([via.protocol, via.host, via.port, via.branch], ['UDP', '192.0.2.1', 5062, 'z9hG4bK1']);
  assert.deepEqual([via.received, via.maddr, via.ttl], ['2001:db8::1', '::1', 16]);
  // RFC 3581 §3: present without a value.
  assert.deepEqual([via.hasRport, via.rport], [true, undefined]);
  via.params.set('rport', '5099').set('received', '198.51.100.7');
  assert.equal(
    formatVia(via),
    'SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bK1;rport=5099;received=198.51.100.7;ttl=16;maddr=[::1]',
  );
  assert.equal(parseVia(formatVia(via))?.rport, 5099);
  const odd = parseVia('sip /2.0/\twss\t [2001:db8::9] : 7443 ; branch = x');
  assert.deepEqual([odd?.protocol, odd?.host, odd?.port, odd?.branch], ['WSS', '2001:db8::9', 7443, 'x']);
  assert.equal(odd && formatVia(odd), 'SIP/2.0/WSS [2001:db8::9]:7443;branch=x');
});

test('RFC 3261 §20.42: what is no Via is refused', () => {
  for (const text of [
    '',
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ',
    'SIP/2.0 192.0.2.1',
    'HTTP/1.1/UDP 192.0.2.1',
    'SIP/2.0/UDP 192.0.2.1:x',
    'SIP/2.0/UDP 192.0.2.1:70000',
    'SIP/2.0/UDP 192.0.2.1;;branch=1',
    'SIP/2.0/UDP ::1',
    'SIP/2.0/UDP [::1',
    'SIP/2.0/UDP [fe80::1%eth0]',
    'SIP/2.0/UDP a b',
    'SIP/2.0/UDP -a',
  ])
    assert.equal(parseVia(text), undefined, text);
});

test('RFC 3261 §25.1: quoted strings and tokens', () => {
  assert.equal(unquote('"a \\"b\\" \\\\ c"'), 'a "b" \\ c');
  assert.equal(unquote('plain'), 'plain');
  assert.equal(unquote(quoteString('a "b" \\ c')), 'a "b" \\ c');
  assert.equal(quoteString('a\r\nEvil: b'), '"a Evil: b"');
  assert.equal(isToken("a-.!%*_+`'~Z9"), true);
  for (const text of ['', 'a b', 'a/b', 'é', 'a\n']) assert.equal(isToken(text), false, text);
});

test('RFC 3261 §25.1: numbers', () => {
  assert.deepEqual(['0', '0009', '', '-1', '+1', '1.0', ' 1', '9'.repeat(16)].map(parseDigits), [
    0,
    9,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  assert.equal(parseDeltaSeconds('9'.repeat(40)), 2 ** 32 - 1);
  assert.equal(parseDeltaSeconds('12x'), undefined);
  assert.deepEqual(['1', '1.000', '0.5', '0', '0.', '1.1', '0.1234', '.5', '2', 'x'].map(parseQValue), [
    1,
    1,
    0.5,
    0,
    0,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('RFC 3262 §7.1, §7.2: RSeq and RAck', () => {
  assert.deepEqual(parseRAck('776656 1 INVITE'), { rseq: 776656, cseq: 1, method: 'INVITE' });
  for (const text of [
    '',
    '1 1',
    '0 1 INVITE',
    '1 2147483648 INVITE',
    '1 1 INVITE x',
    '4294967296 1 INVITE',
    '1 1 IN,VITE',
  ])
    assert.equal(parseRAck(text), undefined, text);
  assert.deepEqual(
    [parseRSeq('1'), parseRSeq('4294967295'), parseRSeq('0'), parseRSeq('x')],
    [1, 4294967295, undefined, undefined],
  );
});

test('RFC 4028 §4: Session-Expires', () => {
  const value = parseSessionExpires('1800 ;Refresher=UAC;x=1');
  assert.deepEqual([value?.intervalSec, value?.refresher], [1800, 'uac']);
  assert.equal(parseSessionExpires('90')?.refresher, undefined);
  assert.equal(parseSessionExpires('soon'), undefined);
});
