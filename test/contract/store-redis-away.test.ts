import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { StoredUsers } from '../../src/accounts/stored-users.js';
import { LoggerFactory, silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/types.js';
import { freePort, startRedis, type TestRedis } from '../support/redis-server.js';
import { waitFor } from '../support/wait-for.js';

const AWAY = { code: 'STORE_UNAVAILABLE', sipStatus: 503 };
/** Far below the bound of one command: a call that fails at once waits for nobody. */
const AT_ONCE_MS = 500;

async function failsAtOnce(work: () => Promise<unknown>): Promise<void> {
  const start = performance.now();
  await assert.rejects(work, AWAY);
  assert.ok(performance.now() - start < AT_ONCE_MS, 'failed, but not at once');
}

describe('Redis away', () => {
  let redis: TestRedis;
  const stores: Store[] = [];
  const open = async (url: string, log = silentLogger) => {
    const store = await openStore(url, { dataDir: '/nowhere', log });
    stores.push(store);
    return store;
  };

  before(async () => {
    redis = await startRedis();
  });
  after(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await redis.close();
  });

  it('stopped and started again: fails at once, says so, comes back by itself', async () => {
    const store = await open(redis.url);
    const changes: boolean[] = [];
    store.onAvailability((alive) => changes.push(alive));
    await store.collection('users').put('a', 1);
    await redis.stop();
    await waitFor('away', () => !store.alive);
    await failsAtOnce(() => store.collection('users').get('a'));
    await failsAtOnce(() => store.bindings.get('a@ims'));
    await failsAtOnce(() => store.records.append([]).then(() => store.records.count()));
    await failsAtOnce(() => store.ping());
    await redis.start();
    await waitFor('back', () => store.alive);
    await store.collection('users').put('b', 2);
    assert.equal(await store.collection('users').get('b'), 2);
    assert.deepEqual(changes, [false, true]);
  });

  it('frozen: the first call is bounded, those after it fail at once', async () => {
    const store = await open(redis.url);
    redis.freeze();
    try {
      const start = performance.now();
      await assert.rejects(store.ping(), AWAY);
      assert.ok(performance.now() - start < 4000, 'a call waited longer than its bound');
      assert.equal(store.alive, false);
      await failsAtOnce(() => store.ping());
    } finally {
      redis.thaw();
    }
    await waitFor('back', () => store.alive);
    await store.ping();
  });

  it('nobody there at the start: the store opens away and connects later', async () => {
    const late = await startRedis();
    await late.stop();
    const store = await open(late.url);
    assert.equal(store.alive, false);
    await failsAtOnce(() => store.collection('users').get('a'));
    await late.start();
    await waitFor('there', () => store.alive);
    await store.ping();
    await store.close();
    await late.close();
  });

  it('close ends the attempts to connect', async () => {
    const store = await open(`redis://127.0.0.1:${await freePort()}`);
    await store.close();
    await assert.rejects(store.ping(), { code: 'CLOSED' });
  });

  it('a foreign schema is refused at the start', async () => {
    await redis.send('SET', 'ims:schema', '99');
    await assert.rejects(open(redis.url), { code: 'STORE_SCHEMA_UNKNOWN' });
    await redis.send('DEL', 'ims:schema');
  });

  it('a full Redis refuses writes with a typed error, and reads go on', async () => {
    const store = await open(redis.url);
    await store.collection('users').put('a', 'kept');
    await redis.send('CONFIG', 'SET', 'maxmemory', '1');
    await assert.rejects(store.collection('users').put('b', 1), AWAY);
    assert.equal(await store.collection('users').get('a'), 'kept');
    await redis.send('CONFIG', 'SET', 'maxmemory', '0');
    await store.collection('users').put('b', 1);
  });

  it('scripts that Redis forgot are sent again', async () => {
    const store = await open(redis.url);
    await store.collection('users').put('a', 1);
    await redis.send('SCRIPT', 'FLUSH');
    assert.equal(await store.collection('users').put('a', 2), true);
  });

  it('the password reaches Redis and nothing else', async () => {
    const guarded = await startRedis(['--requirepass', 'Sesame-1']);
    let logged = '';
    const destination = new Writable({
      write: (chunk, _, done) => {
        logged += chunk;
        done();
      },
    });
    const log = new LoggerFactory({ level: 'trace', destination }).for('store');
    const store = await open(guarded.url.replace('//', '//:Sesame-1@'), log);
    await store.collection('users').put('a', 1);
    const wrong = await open(guarded.url.replace('//', '//default:Wrong-Sesame-1@'), log);
    const error = await wrong.ping().then(
      () => assert.fail('a wrong password was taken'),
      (reason: Error) => reason,
    );
    assert.match(error.message, /WRONGPASS/);
    await guarded.stop();
    await waitFor('away', () => !store.alive);
    for (const text of [logged, store.description, wrong.description, error.message, `${error.stack}`])
      assert.ok(!text.includes('Sesame'), text);
    assert.ok(logged.length > 0);
    await Promise.all([store.close(), wrong.close()]);
    await guarded.close();
  });

  it('users seen before are served while Redis is away, changes are refused', async () => {
    const store = await open(redis.url);
    let now = 1000;
    const clock = { now: () => now, monotonic: () => now, setTimeout, clearTimeout: () => {} };
    const users = new StoredUsers({ store, realm: 'ims', clock });
    await users.add('1001', { password: 'secret1' });
    await users.authData('1001');
    await users.authData('9999');
    await redis.stop();
    await waitFor('away', () => !store.alive);
    now += 3_600_000;
    assert.equal((await users.authData('1001'))?.username, '1001');
    assert.equal(await users.authData('9999'), undefined);
    await assert.rejects(users.authData('1002'), AWAY);
    await assert.rejects(users.modify('1001', { phone: '1' }), AWAY);
    await redis.start();
    await waitFor('back', () => store.alive);
    assert.equal(await users.authData('1001'), undefined);
  });
});
