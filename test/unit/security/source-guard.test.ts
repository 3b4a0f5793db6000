import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { AddressSet } from '../../../src/platform/address-set.js';
import { silentLogger } from '../../../src/platform/logger.js';
import { MAX_SOURCES } from '../../../src/security/limits.js';
import { isScanner } from '../../../src/security/scanners.js';
import { SourceGuard } from '../../../src/security/source-guard.js';
import { GuardService } from '../../../src/security/source-service.js';
import type { Store } from '../../../src/store/types.js';
import { ManualClock } from '../../support/manual-clock.js';
import { memoryCollection } from '../../support/memory-collection.js';

const BY = { reason: '', by: 'admin' };

function memoryStore(): Pick<Store, 'collection'> {
  const collections = new Map<string, ReturnType<typeof memoryCollection>>();
  const collection = (name: string) => {
    const known = collections.get(name) ?? memoryCollection();
    collections.set(name, known);
    return known;
  };
  return { collection };
}

describe('who is banned by the server itself', () => {
  let clock: ManualClock;
  let store: Pick<Store, 'collection'>;
  let guard: SourceGuard;
  let service: GuardService;
  let alarms: string[];
  const openGuard = (trusted: readonly string[]): SourceGuard =>
    new SourceGuard({
      store,
      trusted,
      policy: { after: 3, windowSec: 60, banSec: 600, registrationSec: 3600 },
      onBan: ({ source, reason }, isInForce) => alarms.push(`${isInForce ? '+' : '-'}${source} ${reason}`),
      clock,
      log: silentLogger,
    });
  beforeEach(async () => {
    clock = new ManualClock();
    alarms = [];
    store = memoryStore();
    guard = openGuard(['10.0.0.0/8']);
    service = new GuardService(guard);
    await guard.lists.start();
  });
  afterEach(() => guard.close());

  const guess = (address: string, times = 3): void => {
    for (let i = 0; i < times; i++) guard.guessed(address, 'password', false);
  };
  const isBanned = (address: string): boolean => guard.lists.table.isBlocked(address);
  /** Lets looks that fall due run to their end. */
  const later = async (seconds: number): Promise<void> => {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1000);
      for (let turn = 0; turn < 30; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  };

  test('a source that guesses, with an alarm; one that is banned is not banned again', () => {
    guess('192.0.2.1', 2);
    assert.equal(isBanned('192.0.2.1'), false);
    guess('192.0.2.1', 10);
    assert.equal(isBanned('192.0.2.1'), true);
    assert.deepEqual(alarms, ['+192.0.2.1 3 offences, the last: password']);
    assert.equal(guard.statistics.bans, 1);
  });

  test('wrong names, tries after too many and bytes over a connection count together', () => {
    guard.guessed('192.0.2.1', 'name', true);
    guard.guessed('192.0.2.1', 'throttled', true);
    guard.malformed('192.0.2.1', true, 1);
    assert.equal(isBanned('192.0.2.1'), true);
  });

  test('what came in datagrams is counted but bans nobody', () => {
    guard.malformed('192.0.2.1', false, 1000);
    assert.equal(isBanned('192.0.2.1'), false);
    assert.equal(guard.statistics.totals.malformed, 1000);
  });

  test('requests that never answer their challenge count once they are 10 s old, over a connection they get a ban', () => {
    const probe = (address: string, isProven: boolean, times: number): void => {
      for (let i = 0; i < times; i++) guard.unauthenticated(address, isProven);
    };
    probe('192.0.2.4', false, 50);
    const all = ['192.0.2.1', '192.0.2.2', '192.0.2.3'] as const;
    for (const address of all) probe(address, address !== '192.0.2.1', 50);
    guard.accepted('192.0.2.3');
    clock.advance(9_999);
    for (const address of all) probe(address, address !== '192.0.2.1', 1);
    assert.equal(guard.statistics.totals.probe, 0, 'phones have time to answer');
    clock.advance(1);
    for (const address of all) probe(address, address !== '192.0.2.1', 1);
    assert.equal(guard.statistics.totals.probe, 0, 'the newest of them are a millisecond old');
    clock.advance(10_000);
    for (const address of all) probe(address, address !== '192.0.2.1', 1);
    assert.equal(guard.statistics.totals.probe, 102, 'those of phones are none');
    probe('192.0.2.4', true, 2);
    assert.deepEqual([...all, '192.0.2.4'].map(isBanned), [false, true, false, false]);
    assert.deepEqual(alarms, ['+192.0.2.2 3 offences, the last: probe']);
  });

  test('a wrong password answers its challenge: one guess over a connection is one offence', () => {
    const tryOnce = (address: string): void => {
      guard.unauthenticated(address, true);
      guard.guessed(address, 'password', true);
      clock.advance(10_000);
    };
    for (let i = 0; i < 2; i++) tryOnce('192.0.2.1');
    guard.unauthenticated('192.0.2.1', true);
    assert.deepEqual([guard.statistics.totals.probe, isBanned('192.0.2.1')], [0, false]);
    guard.guessed('192.0.2.1', 'password', true);
    assert.equal(isBanned('192.0.2.1'), true);
  });

  test('a wrong password answers one challenge, and none that went the other way', () => {
    for (let i = 0; i < 2; i++) guard.unauthenticated('192.0.2.1', true);
    guard.guessed('192.0.2.1', 'password', false);
    guard.guessed('192.0.2.1', 'name', true);
    clock.advance(20_000);
    guard.unauthenticated('192.0.2.1', true);
    assert.equal(guard.statistics.totals.probe, 1);
    assert.equal(isBanned('192.0.2.1'), true, 'two guesses and a challenge that was left');
  });

  test('guesses that are on their way while challenges are counted are one offence each, too', () => {
    guard.unauthenticated('192.0.2.1', true);
    clock.advance(9_999);
    guard.unauthenticated('192.0.2.1', true);
    clock.advance(1);
    guard.unauthenticated('192.0.2.1', true);
    for (let i = 0; i < 2; i++) guard.guessed('192.0.2.1', 'password', true);
    assert.equal(isBanned('192.0.2.1'), false);
    clock.advance(10_000);
    guard.unauthenticated('192.0.2.1', true);
    assert.equal(guard.statistics.totals.probe, 1, 'the first alone was left');
    assert.equal(isBanned('192.0.2.1'), true);
  });

  test('trusted networks, trunks, the white list and phones of subscribers are not banned, nor those who come next', async () => {
    guard.isTrunk = (address) => address === '192.0.2.2';
    await service.add('white', '192.0.2.3', BY);
    guard.accepted('192.0.2.4');
    const cases = {
      '10.1.1.1': 'TRUSTED',
      '192.0.2.2': 'TRUNK',
      '192.0.2.3': 'WHITELIST',
      '192.0.2.4': 'PHONES',
    };
    for (const [address, exemption] of Object.entries(cases)) {
      guess(address, 10);
      assert.deepEqual([isBanned(address), service.exemption(address)], [false, exemption]);
    }
    assert.equal(service.exemption('192.0.2.5'), undefined);
    clock.advance(3_600_000);
    guess('192.0.2.4');
    assert.equal(isBanned('192.0.2.4'), true, 'an hour later its phones are forgotten');
  });

  test('of an IPv6 network that holds a trunk or trusted address only the address that attacks is banned', async () => {
    const mixed = openGuard(['2001:db8:1:1::7/128']);
    await mixed.lists.start();
    const trunk = new AddressSet(['2001:db8::7']);
    mixed.isTrunk = (address) => trunk.has(address);
    mixed.hasTrunkIn = (network) => trunk.touches(network);
    for (const address of ['2001:db8::66', '2001:db8::7', '2001:db8:1:1::66', '2001:db8:1:2::66'])
      for (let i = 0; i < 3; i++) mixed.guessed(address, 'password', false);
    const sources = ['2001:db8:1:1::66', '2001:db8:1:2::/64', '2001:db8::66'];
    assert.deepEqual(mixed.lists.table.sources('black').sort(), sources);
    mixed.guessed('2001:db8::67', 'password', false);
    assert.equal(mixed.lists.table.bans, 3, 'each address answers for itself');
    guess('2001:db8:2::1');
    assert.equal(isBanned('2001:db8:2::2'), true);
    trunk.add('2001:db8:2::9');
    await later(2);
    assert.deepEqual(
      mixed.lists.table.sources('black').sort(),
      sources,
      'no ban of a whole network by another',
    );
    await mixed.close();
  });

  test('a ban by another server on the same Store mutes nobody that this one would not ban', async () => {
    const there = openGuard(['198.51.100.0/24']);
    await there.lists.start();
    there.isTrunk = (address) => address === '192.0.2.2';
    there.accepted('192.0.2.1');
    const sources = ['192.0.2.1', '192.0.2.2', '198.51.100.7', '192.0.2.3'];
    for (const source of sources) guess(source);
    assert.deepEqual(sources.map(isBanned), [true, true, true, true]);
    await later(2);
    const isBannedThere = (address: string): boolean => there.lists.table.isBlocked(address);
    assert.deepEqual(sources.map(isBannedThere), [false, false, false, true]);
    await there.close();
    const next = openGuard([]);
    await service.add('white', '192.0.2.3', BY);
    await next.lists.start();
    assert.deepEqual(
      next.lists
        .bans()
        .map(({ source }) => source)
        .sort(),
      sources.slice(0, 3),
    );
    await next.close();
  });

  test('a ban is over within a minute when its source becomes one that is not banned', async () => {
    for (const source of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) guess(source);
    alarms = [];
    await service.add('white', '192.0.2.2', BY);
    guard.isTrunk = (address) => address === '192.0.2.3';
    await later(60);
    assert.deepEqual(guard.lists.table.sources('black'), ['192.0.2.1']);
    assert.deepEqual(alarms.map((one) => one.split(' ')[0]).sort(), ['-192.0.2.2', '-192.0.2.3']);
  });

  test('an engine is told of all that is there and of every change', async () => {
    await service.add('black', '192.0.2.1', BY);
    const told: unknown[] = [];
    guard.useFilter({
      block: async (change) => void told.push(change),
      dropped: async () => [{ address: '192.0.2.1', count: 7, lastAt: clock.now() + 5 }],
    });
    guess('2001:db8::1');
    await service.add('white', '192.0.2.1', BY);
    await service.remove('black', '192.0.2.1');
    assert.deepEqual(told, [
      { blocked: { add: ['192.0.2.1'], remove: [] } },
      { blocked: { add: ['2001:db8::/64'], remove: [] } },
      { excepted: { add: ['192.0.2.1'], remove: [] } },
      { blocked: { add: [], remove: ['192.0.2.1'] } },
    ]);
    const report = await service.attacks();
    assert.equal(report.dropped, 7);
    assert.deepEqual(
      report.sources.map(({ address, dropped, state }) => [address, dropped, state]),
      [
        ['192.0.2.1', 7, 'WHITELIST'],
        ['2001:db8::1', 0, 'BANNED'],
      ],
    );
  });

  test('an engine that is gone breaks nothing', async () => {
    guard.useFilter({
      block: () => Promise.reject(new Error('gone')),
      dropped: () => Promise.reject(new Error('gone')),
    });
    guess('192.0.2.1');
    assert.equal((await service.attacks()).sources.length, 1);
  });

  test('the newest sources are told of, in bounded number', async () => {
    for (let i = 0; i < MAX_SOURCES + 10; i++) {
      clock.advance(1);
      guard.malformed(`198.18.${i >> 8}.${i & 255}`, false, 1);
    }
    const { sources, totals } = await service.attacks();
    assert.equal(sources.length, MAX_SOURCES);
    assert.equal(sources[0]?.address, '198.18.3.241');
    assert.equal(totals.malformed, MAX_SOURCES + 10);
  });

  test('a list is in the order of addresses, and tells what touches an address or network', async () => {
    for (const source of ['192.0.2.100', '2001:db8::1', '192.0.2.9', '10.0.0.0/8', '192.0.2.0/25'])
      await service.add('black', source, BY);
    const names = (entries: readonly { source: string }[]) => entries.map(({ source }) => source);
    assert.deepEqual(names(service.list('black')), [
      '10.0.0.0/8',
      '192.0.2.0/25',
      '192.0.2.9',
      '192.0.2.100',
      '2001:db8::1',
    ]);
    assert.deepEqual(names(service.touching('black', '192.0.2.9')), ['192.0.2.0/25', '192.0.2.9']);
    assert.deepEqual(names(service.touching('black', '192.0.2.64/26')), ['192.0.2.0/25', '192.0.2.100']);
    assert.deepEqual(names(service.touching('black', '192.0.2.200')), []);
  });

  test('a file is read line by line; what is no address is told by its line', async () => {
    await service.add('black', '192.0.2.1', BY);
    guess('192.0.2.2');
    const text = '# ours\r\n192.0.2.1\r\n192.0.2.2  # again\n\n192.0.2.3/24\n192.0.2.0/24\nexample.com\n';
    const done = await service.import('black', text, { reason: 'file', by: 'admin' });
    assert.deepEqual([done.added, done.known, done.faults.map(({ line }) => line)], [2, 2, [7]]);
    assert.equal(guard.lists.table.get('black', '192.0.2.2')?.by, 'admin');
    await assert.rejects(service.import('black', '', { reason: 'a\nb', by: 'admin' }), {
      code: 'FIELD_INVALID',
    });
  });
});

test('programs that scan are known by their User-Agent, phones are not taken for them', () => {
  for (const scanner of [
    'friendly-scanner',
    'sipvicious 0.3',
    'SIPcli/v1.8',
    'VaxSIPUserAgent/3.1',
    'pplsip',
  ])
    assert.equal(isScanner(scanner), true, scanner);
  for (const phone of [
    undefined,
    '',
    'Zoiper rv2.10',
    'Linphone/5.2',
    'baresip v1.0.0',
    'sipp',
    'Yealink SIP-T46S',
  ])
    assert.equal(isScanner(phone), false, phone);
});
