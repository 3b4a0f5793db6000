import { keyBytes, pageSize } from '../arguments.js';
import type { Collection, Json } from '../types.js';
import type { RedisConnection } from './redis-connection.js';
import { script } from './script.js';

/** KEYS hash, index; ARGV key, value, mode. */
const PUT = script(
  'put',
  `local known = redis.call('HEXISTS', KEYS[1], ARGV[1])
if (ARGV[3] == 'create' and known == 1) or (ARGV[3] == 'update' and known == 0) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return 1`,
);

/** KEYS hash, index; ARGV key. */
const REMOVE = script(
  'remove',
  `redis.call('ZREM', KEYS[2], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])`,
);

/** KEYS hash, index; ARGV prefix, '(' or '[' and the first key, limit. Returns key, value, key, value… */
const LIST = script(
  'list',
  `local last = '+'
if ARGV[1] ~= '' then last = '(' .. ARGV[1] .. '\\255' end
local keys = redis.call('ZRANGEBYLEX', KEYS[2], ARGV[2], last, 'LIMIT', 0, ARGV[3])
local found = {}
for _, key in ipairs(keys) do
  local value = redis.call('HGET', KEYS[1], key)
  if value then
    found[#found + 1] = key
    found[#found + 1] = value
  end
end
return found`,
);

/** A Collection as a hash `ims:<name>` and a sorted set `ims:<name>:index` that keeps its keys in byte order. */
export class RedisCollection implements Collection {
  private readonly hash: string;
  private readonly keys: readonly string[];

  constructor(
    private readonly redis: RedisConnection,
    name: string,
  ) {
    this.hash = `ims:${name}`;
    this.keys = [this.hash, `ims:${name}:index`];
  }

  async get(key: string): Promise<Json | undefined> {
    keyBytes(key);
    const text = (await this.redis.call('HGET', this.hash, key)) as string | null;
    return text === null ? undefined : (JSON.parse(text) as Json);
  }

  async put(key: string, value: Json, mode?: 'create' | 'update'): Promise<boolean> {
    keyBytes(key);
    return (await this.redis.run(PUT, this.keys, [key, JSON.stringify(value), mode ?? ''])) === 1;
  }

  async remove(key: string): Promise<boolean> {
    keyBytes(key);
    return (await this.redis.run(REMOVE, this.keys, [key])) === 1;
  }

  async list(
    options: { prefix?: string; after?: string; limit?: number } = {},
  ): Promise<{ key: string; value: Json }[]> {
    const limit = pageSize(options.limit);
    const prefix = options.prefix ?? '';
    const flat = (await this.redis.run(LIST, this.keys, [
      prefix,
      firstKey(prefix, options.after),
      limit,
    ])) as string[];
    const entries: { key: string; value: Json }[] = [];
    for (let i = 0; i < flat.length; i += 2)
      entries.push({ key: flat[i]!, value: JSON.parse(flat[i + 1]!) as Json });
    return entries;
  }

  async count(): Promise<number> {
    return (await this.redis.call('HLEN', this.hash)) as number;
  }
}

/** Lower end of a lexicographic range: from the prefix on, or after `after` when that is further. */
function firstKey(prefix: string, after: string | undefined): string {
  if (after === undefined) return prefix === '' ? '-' : `[${prefix}`;
  return Buffer.compare(Buffer.from(after), Buffer.from(prefix)) >= 0 ? `(${after}` : `[${prefix}`;
}
