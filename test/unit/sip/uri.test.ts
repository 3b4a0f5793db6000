import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatUri, parseUri, uriScheme } from '../../../src/sip/uri.js';
import { urisEqual } from '../../../src/sip/uri-equals.js';

test('RFC 3261 §19.1.1: the parts of a URI', () => {
  const uri = parseUri(
    'sips:al%69ce;x=1:p%40ss@[2001:db8::1]:5061;Transport=TCP;lr;a=%3B?Subject=hi%20you&Route=%3Csip:a%3E',
  );
  assert.ok(uri);
  assert.deepEqual(
    [uri.scheme, uri.user, uri.password, uri.host, uri.port],
    ['sips', 'alice;x=1', 'p@ss', '2001:db8::1', 5061],
  );
  assert.deepEqual(
    [...uri.params],
    [
      ['transport', 'TCP'],
      ['lr', ''],
      ['a', ';'],
    ],
  );
  assert.deepEqual(uri.headers, [
    { name: 'Subject', value: 'hi you' },
    { name: 'Route', value: '<sip:a>' },
  ]);
  assert.equal(
    formatUri(uri),
    'sips:alice;x=1:p%40ss@[2001:db8::1]:5061;transport=TCP;lr;a=%3B?Subject=hi%20you&Route=%3Csip:a%3E',
  );
});

test('RFC 3261 §19.1.2, RFC 3966 §3: URIs survive being written and read', () => {
  for (const text of [
    'sip:example.com',
    'sip:alice@example.com',
    'sip:alice:@example.com',
    'sip:%00%FF%25@example.com',
    "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*@example.com",
    'sips:[::ffff:192.0.2.1]:5061;transport=ws',
    'tel:+1-201-555-0123;ext=12',
    'tel:7042;phone-context=example.com',
  ]) {
    const uri = parseUri(text);
    assert.ok(uri, text);
    assert.equal(formatUri(uri), text);
  }
  const wide = formatUri({ ...parseUri('sip:x@example.com')!, user: '李 x' });
  assert.equal(wide, 'sip:%E6%9D%8E%20x@example.com');
});

test('RFC 3261 §19.1.1: what is no URI is refused', () => {
  for (const text of [
    '',
    'sip',
    'sip:',
    'sip:@example.com',
    'sip::p@example.com',
    'sip:a@',
    'sip:a@b:',
    'sip:a@b:x',
    'sip:a@b:99999',
    'sip:a@b c',
    'sip:a@b;=x',
    'sip:a@b?',
    'sip:a@b?x',
    'sip:a@b%20c',
    'sip:a%zz@b',
    'sip:a%4',
    'sip:a@b@c',
    'sip:2001:db8::10',
    'sip:[2001:db8:::192.0.2.1]',
    'sip:a@b\r\nEvil',
    'tel:',
    'tel:abc xyz',
    'http://example.com',
  ])
    assert.equal(parseUri(text), undefined, text);
  assert.equal(uriScheme('HTTP://x'), 'http');
  assert.equal(uriScheme('//x'), undefined);
});

const equal = (a: string, b: string): boolean => {
  const [left, right] = [parseUri(a), parseUri(b)];
  assert.ok(left && right, `${a} ${b}`);
  assert.equal(urisEqual(left, right), urisEqual(right, left), 'symmetric');
  return urisEqual(left, right);
};

test('RFC 3261 §19.1.4, RFC 3966 §4: URIs that are equal', () => {
  for (const [a, b] of [
    ['sip:%61lice@atlanta.com;transport=TCP', 'sip:alice@AtLanTa.CoM;Transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;newparam=5'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com;security=on'],
    [
      'sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com',
      'sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com',
    ],
    [
      'sip:alice@atlanta.com?subject=project%20x&priority=urgent',
      'sip:alice@atlanta.com?priority=urgent&subject=project%20x',
    ],
    ['tel:+1-201-555-0123', 'tel:+1(201)5550123'],
  ] as const)
    assert.equal(equal(a, b), true, `${a} ${b}`);
});

test('RFC 3261 §19.1.4: URIs that differ', () => {
  for (const [a, b] of [
    ['SIP:ALICE@AtLanTa.CoM;Transport=udp', 'sip:alice@AtLanTa.CoM;Transport=UDP'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:5060'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com;transport=udp'],
    ['sip:bob@biloxi.com', 'sip:bob@biloxi.com:6000;transport=tcp'],
    ['sip:carol@chicago.com', 'sip:carol@chicago.com?Subject=next%20meeting'],
    ['sip:bob@phone21.boxesbybob.com', 'sip:bob@192.0.2.4'],
    ['sip:carol@chicago.com;security=on', 'sip:carol@chicago.com;security=off'],
    ['sip:a@b', 'sips:a@b'],
    ['sip:a@b', 'sip:a@b;maddr=192.0.2.1'],
    ['sip:a:x@b', 'sip:a@b'],
    ['tel:+12015550123', 'tel:12015550123'],
    ['tel:123;ext=1', 'tel:123'],
  ] as const)
    assert.equal(equal(a, b), false, `${a} ${b}`);
});
