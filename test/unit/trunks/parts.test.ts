import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HealthCount, isAlive } from '../../../src/trunks/health.js';
import { parseHostPort } from '../../../src/trunks/host-port.js';
import { refreshDelayMs, retryDelayMs } from '../../../src/trunks/registration-times.js';
import { fitOf, parsePeer, parseSource } from '../../../src/trunks/sources.js';
import { changeTrunk, checkRule, TRUNK_DEFAULTS, viewOf } from '../../../src/trunks/trunk-rules.js';
import type { Trunk, TrunkInput } from '../../../src/trunks/types.js';
import { TrunkUsage } from '../../../src/trunks/usage.js';
import { ManualClock } from '../../support/manual-clock.js';

describe('where a trunk is', () => {
  for (const [text, expected] of [
    ['sip.carrier.example', { host: 'sip.carrier.example' }],
    ['sip.carrier.example:5070', { host: 'sip.carrier.example', port: 5070 }],
    ['192.0.2.7', { host: '192.0.2.7' }],
    ['[2001:db8::1]:5062', { host: '2001:db8::1', port: 5062 }],
    ['[2001:db8::1]', { host: '2001:db8::1' }],
    ['2001:db8::1', undefined],
    ['host:0', undefined],
    ['host:70000', undefined],
    ['a b', undefined],
    ['host;transport=tcp', undefined],
    ['host\r\nX: y', undefined],
    ['user@host', undefined],
    ['', undefined],
  ] as const)
    test(JSON.stringify(text), () => assert.deepEqual(parseHostPort(text), expected));
});

describe('whose call it is', () => {
  const fit = (source: string, address: string, port = 5060): number =>
    fitOf(parseSource(source)!, parsePeer(address)!, port);

  test('an address, a network, a port', () => {
    assert.equal(fit('192.0.2.7', '192.0.2.7'), 32);
    assert.equal(fit('192.0.2.0/24', '192.0.2.7'), 24);
    assert.equal(fit('192.0.2.7', '::ffff:192.0.2.7'), 32);
    assert.equal(fit('::ffff:192.0.2.7', '192.0.2.7'), 32);
    assert.equal(fit('::ffff:192.0.2.0/120', '192.0.2.7'), 24);
    assert.equal(fit('[::ffff:192.0.2.7]:5080', '192.0.2.7', 5080), 1032);
    assert.equal(fit('192.0.2.7:5080', '192.0.2.7', 5080), 1032);
    assert.equal(fit('2001:db8::/32', '2001:db8::7'), 32);
    assert.equal(fit('[2001:db8::1]:5060', '2001:db8::1'), 1128);
  });

  test('somebody else', () => {
    assert.equal(fit('192.0.2.7', '192.0.2.8'), -1);
    assert.equal(fit('192.0.2.7:5080', '192.0.2.7', 5060), -1);
    assert.equal(fit('192.0.2.0/24', '2001:db8::7'), -1);
    assert.equal(parsePeer('carrier.example'), undefined);
  });

  for (const text of [
    '0.0.0.0/0',
    '::/0',
    '::ffff:0:0/96',
    '192.0.2.300',
    '192.0.2.0/33',
    'carrier.example',
    '10',
    '',
    '192.0.2.7:0',
  ])
    test(`no source: ${text}`, () => assert.equal(parseSource(text), undefined));
});

describe('up and down', () => {
  const run = (results: string): string => {
    const count = new HealthCount(3, 2);
    return [...results]
      .map((result) => {
        count.take(result === '+');
        return count.isUp ? 'U' : 'd';
      })
      .join('');
  };
  for (const [results, expected] of [
    ['+---', 'UUUd'],
    ['--+--', 'UUUUU'],
    ['---+-+', 'UUdddd'],
    ['---++-', 'UUddUU'],
    ['---++---', 'UUddUUUd'],
  ] as const)
    test(`${results} is ${expected}`, () => assert.equal(run(results), expected));

  test('RFC 3261 §11: whoever answers is there, but for 503 and 408', () => {
    const alive = [200, 302, 401, 403, 404, 405, 483, 500, 501, 600].filter(isAlive);
    assert.equal(alive.length, 10);
    assert.deepEqual([408, 503].filter(isAlive), []);
  });
});

describe('RFC 3261 §10.2.4: when to register again', () => {
  for (const expires of [1, 2, 30, 60, 90, 600, 3600, 86_400])
    test(`granted ${expires} s`, () => {
      for (const draw of [0, 0.5, 0.999]) {
        const delay = refreshDelayMs(expires, draw);
        assert.ok(delay >= 1000 || expires === 1, `${delay}`);
        assert.ok(expires === 1 || delay < expires * 1000, `${delay} of ${expires * 1000}`);
        if (expires >= 120) assert.ok(delay <= (expires - 30) * 1000, `${delay}`);
      }
    });

  test('failures are further and further apart, never all at one time, and bounded', () => {
    assert.deepEqual(
      [retryDelayMs(1, 500, 0.5), retryDelayMs(2, 500, 0.5), retryDelayMs(3, 0, 0.5)],
      [2000, 4000, 8000],
    );
    assert.deepEqual([retryDelayMs(1, 500, 0), retryDelayMs(1, 500, 1)], [1500, 2500]);
    assert.equal(retryDelayMs(50, 500, 0.5), 300_000);
    assert.equal(retryDelayMs(1, 403, 0.5), 120_000);
  });
});

describe('who has how many calls', () => {
  const payer = { username: '1001', maxCalls: 2, maxHour: 3, maxDay: 4 };

  test('a trunk: at once, a second, given back once', () => {
    const clock = new ManualClock();
    const usage = new TrunkUsage(clock);
    const limits = { maxCalls: 2, maxRate: 0 };
    const first = usage.take('t', 'in', limits);
    assert.ok(first && usage.take('t', 'out', limits));
    assert.equal(usage.take('t', 'out', limits), undefined);
    first.release();
    first.release();
    assert.ok(usage.take('t', 'out', limits));
    assert.deepEqual(usage.of('t'), { in: 0, out: 2, refused: 1, rate: 3 });
    const slow = { maxCalls: 0, maxRate: 3 };
    assert.equal(usage.take('t', 'out', slow), undefined);
    clock.advance(1001);
    assert.ok(usage.take('t', 'out', slow));
  });

  test('a subscriber: at once, in an hour, in a day', () => {
    const clock = new ManualClock();
    const usage = new TrunkUsage(clock);
    const places = [usage.begin(payer), usage.begin(payer)];
    assert.equal(usage.begin(payer), undefined);
    places[0]?.release();
    places[0]?.release();
    assert.equal(usage.callsOf('1001'), 1);
    const third = usage.begin(payer);
    third?.release();
    assert.equal(usage.begin(payer), undefined, 'three in an hour');
    clock.advance(3_600_001);
    assert.ok(usage.begin(payer), 'the hour is over');
    assert.equal(usage.begin({ ...payer, maxCalls: 9 }), undefined, 'four in a day');
    assert.ok(usage.begin({ ...payer, username: '1002' }), 'another subscriber');
    clock.advance(86_400_001);
    assert.deepEqual(usage.begunBy('1001'), { hour: 0, day: 0 });
  });
});

describe('what a trunk may be', () => {
  const before: Trunk = { name: 't', ...TRUNK_DEFAULTS };
  const change = (input: TrunkInput): Trunk => changeTrunk(before, input, 'ims');

  for (const [what, input] of [
    ['an address that is none', { address: 'a b' }],
    ['a source of everybody', { sources: ['0.0.0.0/0'] }],
    ['a registration without a password', { address: 'h', register: true, username: 'u' }],
    ['a registration without an address', { register: true, username: 'u', password: 'p' }],
    ['a name for calls in without its password', { inUsername: 'x' }],
    ['a short password for calls in', { inUsername: 'x', inPassword: 'short' }],
    ['a line break in a name', { username: 'a\r\nb' }],
    ['a line break in a password', { password: 'a\nb' }],
    ['a quote in From', { fromUser: 'a"b' }],
    ['a port in the domain', { domain: 'h:5060' }],
    ['a number out of range', { downAfter: 0 }],
    ['a session that is too short', { sessionSec: 30 }],
    ['a codec that is none', { codecs: ['a b'] }],
  ] as const)
    test(`not ${what}`, () => assert.throws(() => change(input as TrunkInput), { code: 'FIELD_INVALID' }));

  test('its password for calls in is kept as HA1 for our realm, and goes with the name', () => {
    const trunk = change({ inUsername: 'branch', inPassword: 'long enough' });
    assert.equal(trunk.inHa1?.realm, 'ims');
    assert.doesNotMatch(JSON.stringify(trunk), /long enough/);
    assert.equal(changeTrunk(trunk, { maxCalls: 3 }, 'ims').inHa1?.md5, trunk.inHa1?.md5);
    assert.throws(() => changeTrunk(trunk, { inUsername: 'other' }, 'ims'), { code: 'FIELD_INVALID' });
    assert.equal(changeTrunk(trunk, { inUsername: '' }, 'ims').inHa1, undefined);
  });

  test('no view has a secret', () => {
    const trunk = change({
      address: 'h',
      username: 'u',
      password: 'our words',
      inUsername: 'b',
      inPassword: 'their words',
    });
    const text = JSON.stringify(viewOf(trunk));
    assert.doesNotMatch(text, /our words|their words|md5|sha256/);
    assert.deepEqual([viewOf(trunk).hasPassword, viewOf(trunk).hasInPassword], [true, true]);
  });

  for (const [what, rule] of [
    ['a pattern that is none', { kind: 'REGEX', match: '(a', replace: '' }],
    ['a replacement with a line break', { kind: 'PREFIX', match: '0', replace: '1\r\n' }],
    ['a replacement with a host', { kind: 'PREFIX', match: '0', replace: '1@evil' }],
    ['a prefix with a space', { kind: 'PREFIX', match: '0 1', replace: '' }],
  ] as const)
    test(`no translation: ${what}`, () =>
      assert.throws(() => checkRule({ direction: 'IN', of: 'CALLED', ...rule }), { code: 'FIELD_INVALID' }));
});
