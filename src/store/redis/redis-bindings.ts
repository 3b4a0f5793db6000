import { createHash } from 'node:crypto';
import type { Clock } from '../../platform/clock.js';
import { keyBytes, MAX_AOR_BYTES, pageSize, wallTimeMs } from '../arguments.js';
import type { BindingStore, Json, StoredBinding } from '../types.js';
import type { RedisConnection } from './redis-connection.js';
import { script } from './script.js';

const AORS = 'ims:bindings:index';
const EXPIRY = 'ims:bindings:expiry';
const keyOf = (aor: string) => `ims:bindings:aor:${aor}`;
/** Hex characters of a contact's hash; a member of the expiry set is the hash, then the address-of-record. */
const HASH_LENGTH = 20;
/** Expired bindings swept by one update, and by one step of a count or list. */
const SWEEP_PER_UPDATE = 32;
const SWEEP_CHUNK = 500;

/** Lua function that removes at most `limit` expired bindings; KEYS 1 and 2 are the index and the expiry set. */
const SWEEP_FUNCTION = `local function sweep(now, limit)
  local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, limit)
  for _, member in ipairs(expired) do
    local aor = string.sub(member, ${HASH_LENGTH + 1})
    local key = 'ims:bindings:aor:' .. aor
    redis.call('HDEL', key, string.sub(member, 1, ${HASH_LENGTH}))
    redis.call('ZREM', KEYS[2], member)
    if redis.call('EXISTS', key) == 0 then redis.call('ZREM', KEYS[1], aor) end
  end
  return #expired
end
`;

/** KEYS index, expiry; ARGV now, limit. */
const SWEEP = script('bindings sweep', `${SWEEP_FUNCTION}return sweep(ARGV[1], ARGV[2])`);

/** KEYS index, expiry, bindings; ARGV now, limit, aor, removals, hash…, then hash, expiry, value for each put. */
const UPDATE = script(
  'bindings update',
  `${SWEEP_FUNCTION}sweep(ARGV[1], ARGV[2])
local aor = ARGV[3]
local i = 5
for _ = 1, tonumber(ARGV[4]) do
  redis.call('HDEL', KEYS[3], ARGV[i])
  redis.call('ZREM', KEYS[2], ARGV[i] .. aor)
  i = i + 1
end
while i <= #ARGV do
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 2])
  redis.call('ZADD', KEYS[2], ARGV[i + 1], ARGV[i] .. aor)
  i = i + 3
end
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('ZADD', KEYS[1], 0, aor)
else redis.call('ZREM', KEYS[1], aor) end
return 1`,
);

/** KEYS index, expiry, bindings; ARGV now, limit, aor. Returns how many live ones there were. */
const CLEAR = script(
  'bindings clear',
  `${SWEEP_FUNCTION}sweep(ARGV[1], ARGV[2])
local live = 0
for _, field in ipairs(redis.call('HKEYS', KEYS[3])) do
  local score = redis.call('ZSCORE', KEYS[2], field .. ARGV[3])
  if score and tonumber(score) > tonumber(ARGV[1]) then live = live + 1 end
  redis.call('ZREM', KEYS[2], field .. ARGV[3])
end
redis.call('DEL', KEYS[3])
redis.call('ZREM', KEYS[1], ARGV[3])
return live`,
);

/** KEYS index; ARGV first, limit. Returns aor, its values, aor, its values… */
const LIST = script(
  'bindings list',
  `local found = {}
for _, aor in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  found[#found + 1] = aor
  found[#found + 1] = redis.call('HVALS', 'ims:bindings:aor:' .. aor)
end
return found`,
);

/** Bindings as a hash an address-of-record, an index of these in byte order, and a sorted set by expiry. */
export class RedisBindings implements BindingStore {
  constructor(
    private readonly redis: RedisConnection,
    private readonly clock: Clock,
  ) {}

  async get(aor: string): Promise<StoredBinding[]> {
    keyBytes(aor, MAX_AOR_BYTES);
    return this.live((await this.redis.call('HVALS', keyOf(aor))) as string[]);
  }

  async update(aor: string, put: readonly StoredBinding[], removeKeys: readonly string[]): Promise<void> {
    keyBytes(aor, MAX_AOR_BYTES);
    const puts = put.flatMap(({ contactKey, expiresAt, value }) => {
      const binding = { contactKey, expiresAt: wallTimeMs(expiresAt, 'expiresAt'), value };
      return [hashOf(contactKey), binding.expiresAt, JSON.stringify(binding)];
    });
    const removals = removeKeys.map(hashOf);
    await this.redis.run(
      UPDATE,
      [AORS, EXPIRY, keyOf(aor)],
      [this.clock.now(), SWEEP_PER_UPDATE, aor, removals.length, ...removals, ...puts],
    );
  }

  async clear(aor: string): Promise<number> {
    keyBytes(aor, MAX_AOR_BYTES);
    const args = [this.clock.now(), SWEEP_PER_UPDATE, aor];
    return (await this.redis.run(CLEAR, [AORS, EXPIRY, keyOf(aor)], args)) as number;
  }

  async list(
    options: { after?: string; limit?: number } = {},
  ): Promise<{ aor: string; bindings: StoredBinding[] }[]> {
    const limit = pageSize(options.limit);
    await this.sweepAll();
    const first = options.after === undefined ? '-' : `(${options.after}`;
    const flat = (await this.redis.run(LIST, [AORS], [first, limit])) as (string | string[])[];
    const found: { aor: string; bindings: StoredBinding[] }[] = [];
    for (let i = 0; i < flat.length; i += 2)
      found.push({ aor: flat[i] as string, bindings: this.live(flat[i + 1] as string[]) });
    return found.filter(({ bindings }) => bindings.length > 0);
  }

  async count(): Promise<{ aors: number; bindings: number }> {
    await this.sweepAll();
    const aors = (await this.redis.call('ZCARD', AORS)) as number;
    const bindings = (await this.redis.call('ZCARD', EXPIRY)) as number;
    return { aors, bindings };
  }

  private live(values: readonly string[]): StoredBinding[] {
    const now = this.clock.now();
    return values
      .map((text) => JSON.parse(text) as { contactKey: string; expiresAt: number; value: Json })
      .filter(({ expiresAt }) => expiresAt > now);
  }

  private async sweepAll(): Promise<void> {
    const keys = [AORS, EXPIRY];
    while ((await this.redis.run(SWEEP, keys, [this.clock.now(), SWEEP_CHUNK])) === SWEEP_CHUNK);
  }
}

function hashOf(contactKey: string): string {
  return createHash('sha256').update(contactKey).digest('hex').slice(0, HASH_LENGTH);
}
