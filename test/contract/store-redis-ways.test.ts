import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { silentLogger } from '../../src/platform/logger.js';
import { openStore } from '../../src/store/open-store.js';
import { freePort, startRedis } from '../support/redis-server.js';
import { waitFor } from '../support/wait-for.js';

const OPTIONS = { dataDir: '/nowhere', log: silentLogger };

describe('ways to Redis', () => {
  it('rediss: TLS with the authority that the URL names, and not without it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ims-tls-'));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    execFileSync('openssl', [...request, ...subject, '-days', '2', '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    const tlsPort = await freePort();
    const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
    const redis = await startRedis(['--tls-port', `${tlsPort}`, '--tls-auth-clients', 'no', ...files]);
    const trusting = await openStore(`rediss://localhost:${tlsPort}/0?ca=${cert}`, OPTIONS);
    const wary = await openStore(`rediss://localhost:${tlsPort}/0`, OPTIONS);
    try {
      await trusting.ping();
      await trusting.collection('users').put('a', 1);
      await assert.rejects(wary.ping(), { code: 'STORE_UNAVAILABLE' });
      await assert.rejects(openStore('rediss://localhost?ca=/not/there', OPTIONS), {
        code: 'STORE_URL_INVALID',
      });
    } finally {
      await Promise.all([trusting.close(), wary.close()]);
      await redis.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it('redis+sentinel: finds the master, and the new one after a failover', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'ims-sentinel-'));
    const master = await startRedis();
    const replica = await startRedis(['--replicaof', `127.0.0.1 ${master.port}`]);
    const config = join(directory, 'sentinel.conf');
    const watch = [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 5000',
    ];
    await writeFile(config, watch.join('\n'));
    const sentinel = await startRedis([], config);
    let store: Awaited<ReturnType<typeof openStore>> | undefined;
    try {
      await waitFor('replica known', async () =>
        (await sentinel.send('SENTINEL', 'replicas', 'main')).includes(`${replica.port}`),
      );
      await waitFor('replica in step', async () =>
        (await replica.send('INFO', 'replication')).includes('master_link_status:up'),
      );
      store = await openStore(`redis+sentinel://127.0.0.1:${sentinel.port}/main/1`, OPTIONS);
      assert.match(store.description, /master main\/1$/);
      await store.collection('users').put('a', 1);
      await master.send('WAIT', '1', '2000');
      await master.stop();
      const users = store.collection('users');
      await waitFor('failover', () => users.put('b', 2).catch(() => false), 30_000);
      assert.equal(await users.get('b'), 2);
    } finally {
      await store?.close();
      await sentinel.close();
      await Promise.all([master.close(), replica.close()]);
      await rm(directory, { recursive: true, force: true });
    }
  });
});
