import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HopResolver } from '../../../src/engine/transport/resolve.js';

const never = new HopResolver(() => Promise.reject(new Error('asked for a literal')));

test('RFC 3263 §4, §4.1: IP literals need no look-up; port and transport have their defaults', async () => {
  assert.deepEqual(never.literal({ host: '192.0.2.1' }), {
    protocol: 'udp',
    address: '192.0.2.1',
    port: 5060,
  });
  assert.deepEqual(await never.resolve({ host: '[2001:db8::1]', port: 5080, transport: 'TCP' }), [
    { protocol: 'tcp', address: '2001:db8::1', port: 5080 },
  ]);
  assert.deepEqual(never.literal({ host: '192.0.2.1', secure: true }), {
    protocol: 'tls',
    address: '192.0.2.1',
    port: 5061,
  });
  assert.equal(never.literal({ host: '192.0.2.1', transport: 'ws', secure: true })?.protocol, 'wss');
  assert.equal(never.literal({ host: 'name.example' }), undefined);
});

test('a transport that does not exist is refused', async () => {
  await assert.rejects(never.resolve({ host: 'a.example', transport: 'sctp' }), {
    code: 'UNKNOWN_TRANSPORT',
  });
  assert.throws(() => never.literal({ host: '192.0.2.1', transport: 'constructor' }), {
    code: 'UNKNOWN_TRANSPORT',
  });
});

test('a name gives hops in the order of its addresses; equal questions share a look-up', async () => {
  let asked = 0;
  const resolver = new HopResolver(async () => {
    asked++;
    return [{ address: '2001:db8::1' }, { address: '192.0.2.1' }];
  });
  const [first, second] = await Promise.all([
    resolver.resolve({ host: 'A.example', port: 5070 }),
    resolver.resolve({ host: 'a.example' }),
  ]);
  assert.equal(asked, 1);
  assert.deepEqual(
    first?.map(({ address, port }) => [address, port]),
    [
      ['2001:db8::1', 5070],
      ['192.0.2.1', 5070],
    ],
  );
  assert.equal(second?.[0]?.port, 5060);
});

test('failures are typed: no such name, no address, too many questions', async () => {
  const failing = new HopResolver(() => Promise.reject(new Error('ENOTFOUND')));
  await assert.rejects(failing.resolve({ host: 'no.example' }), { code: 'HOST_NOT_FOUND', sipStatus: 503 });
  const empty = new HopResolver(async () => []);
  await assert.rejects(empty.resolve({ host: 'no.example' }), { code: 'HOST_NOT_FOUND' });
  let release = (): void => {};
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = new HopResolver(async () => {
    await gate;
    return [{ address: '192.0.2.1' }];
  });
  const asked = Array.from({ length: 64 }, (_, i) => slow.resolve({ host: `h${i}.example` }));
  await assert.rejects(slow.resolve({ host: 'one-more.example' }), { code: 'RESOLVER_BUSY' });
  release();
  await Promise.all(asked);
  assert.equal((await slow.resolve({ host: 'later.example' })).length, 1);
});

test('the system resolver knows localhost', async () => {
  const hops = await new HopResolver().resolve({ host: 'localhost', transport: 'tcp' });
  assert.ok(hops.some(({ address }) => address === '127.0.0.1' || address === '::1'));
});
