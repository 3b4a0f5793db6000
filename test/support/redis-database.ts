import { Redis } from 'ioredis';

/** Redis has 16 databases unless told otherwise; 0 is left alone. */
const DATABASES = Array.from({ length: 15 }, (_, i) => i + 1);
const CLAIM = 'test:claim';
const CLAIM_SEC = 900;

export interface RedisDatabase {
  readonly url: string;
  /** Empties it and gives it back. */
  release(): Promise<void>;
}

/**
 * A database of its own on the Redis that STORE_URL names, emptied: test files run side by side and share one Redis.
 * Undefined for another Store, or when the URL names a database other than 0, the usual one.
 */
export async function claimRedisDatabase(storeUrl: string | undefined): Promise<RedisDatabase | undefined> {
  if (!storeUrl || !/^rediss?:\/\/[^/]+(\/0?)?$/.test(storeUrl)) return undefined;
  const base = storeUrl.replace(/\/0?$/, '');
  for (const database of DATABASES) {
    const url = `${base}/${database}`;
    const redis = new Redis(url);
    if ((await redis.set(CLAIM, '1', 'EX', CLAIM_SEC, 'NX')) === 'OK') {
      await redis.multi().flushdb().set(CLAIM, '1', 'EX', CLAIM_SEC).exec();
      return {
        url,
        release: async () => {
          await redis.flushdb();
          await redis.quit();
        },
      };
    }
    await redis.quit();
  }
  throw new Error(`every database of ${base} is in use by tests`);
}
