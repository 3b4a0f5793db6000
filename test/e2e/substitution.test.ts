import { describe, test } from 'node:test';
import type { Closeable } from '../../src/platform/lifecycle.js';
import { startEngineProcess, startRelayProcess } from '../support/part-process.js';
import { missing } from '../support/peers.js';
import { startRedis } from '../support/redis-server.js';
import { startServer } from '../support/server.js';
import { SMOKE_USERS, smoke } from '../support/smoke.js';

type Setting = 'SIP_ENGINE' | 'MEDIA_RELAY' | 'STORE_URL';
const SETTINGS: readonly Setting[] = ['SIP_ENGINE', 'MEDIA_RELAY', 'STORE_URL'];
const BUILT_IN = { SIP_ENGINE: 'embedded', MEDIA_RELAY: 'embedded', STORE_URL: 'embedded:' };

/** The part that a setting puts in another process. */
const PARTS: Record<Setting, () => Promise<Closeable & { readonly url: string }>> = {
  SIP_ENGINE: startEngineProcess,
  MEDIA_RELAY: startRelayProcess,
  STORE_URL: startRedis,
};

async function smokeWith(settings: readonly Setting[]): Promise<void> {
  const parts: Closeable[] = [];
  const env: Record<string, string> = { ...BUILT_IN };
  try {
    for (const setting of settings) {
      const part = await PARTS[setting]();
      parts.push(part);
      env[setting] = part.url;
    }
    const server = await startServer({ users: SMOKE_USERS, env });
    parts.push(server);
    await smoke(server).catch((error: unknown) => {
      throw new Error(`the server said:\n${server.output().slice(-4000)}`, { cause: error });
    });
  } finally {
    for (const part of parts.reverse()) await part.close();
  }
}

/** Whatever a setting puts elsewhere, calls are the same. */
describe('the same calls on every composition', { concurrency: 2 }, () => {
  test('all built in', () => smokeWith([]));
  test('MEDIA_RELAY on `ims relay`', () => smokeWith(['MEDIA_RELAY']));
  test('SIP_ENGINE on `ims engine`', () => smokeWith(['SIP_ENGINE']));
  test('STORE_URL on Redis', { skip: missing('redis-server') }, () => smokeWith(['STORE_URL']));
  test('all three elsewhere', { skip: missing('redis-server') }, () => smokeWith(SETTINGS));

  const given = SETTINGS.filter((setting) => process.env[setting] !== undefined);
  if (given.length > 0)
    test(`as the environment says: ${given.join(', ')}`, async () => {
      const server = await startServer({ users: SMOKE_USERS });
      await smoke(server).finally(() => server.close());
    });
});
