import { keyBytes, MAX_RECORD_ID_BYTES, wallTimeMs } from '../arguments.js';
import type { RecordPosition } from '../record-position.js';
import { type IndexScan, queryRecords, type RecordIndex, type RecordReader } from '../record-query.js';
import type { Json, RecordEntry, RecordPage, RecordQuery, RecordStore } from '../types.js';
import type { RedisConnection } from './redis-connection.js';
import { script } from './script.js';

const STREAM = 'ims:cdr';
const indexKey = (index: RecordIndex) => `ims:cdr-index:${index}`;
const recordKey = (id: string) => `ims:cdr:${id}`;
/** About how many entries the stream keeps for its consumers; the records themselves stay. */
const STREAM_MAX_ENTRIES = 1_000_000;
/** Records written or removed by one run of a script: keeps each run to a few milliseconds. */
const CHUNK = 100;
const FIELDS = ['time', 'type', 'result', 'caller', 'callee', 'body'] as const;

/** KEYS stream; ARGV stream bound, then id, time, type, result, caller, callee, body for each record. */
const APPEND = script(
  'records append',
  `local new = 0
for i = 2, #ARGV, 7 do
  local id, time, type, result, caller, callee, body =
    ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6]
  local key = 'ims:cdr:' .. id
  if redis.call('EXISTS', key) == 0 then
    local fields = {'time', time, 'type', type, 'result', result, 'caller', caller, 'callee', callee, 'body', body}
    redis.call('HSET', key, unpack(fields))
    redis.call('ZADD', 'ims:cdr-index:time', time, id)
    redis.call('ZADD', 'ims:cdr-index:caller:' .. caller, time, id)
    redis.call('ZADD', 'ims:cdr-index:callee:' .. callee, time, id)
    redis.call('ZADD', 'ims:cdr-index:type:' .. type, time, id)
    redis.call('ZADD', 'ims:cdr-index:result:' .. result, time, id)
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', 'id', id, unpack(fields))
    new = new + 1
  end
end
return new`,
);

/** KEYS time index; ARGV exclusive time, limit. Returns how many were removed. */
const REMOVE = script(
  'records removal',
  `local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  local key = 'ims:cdr:' .. id
  local record = redis.call('HMGET', key, 'type', 'result', 'caller', 'callee')
  for i, index in ipairs({'type:', 'result:', 'caller:', 'callee:'}) do
    if record[i] then redis.call('ZREM', 'ims:cdr-index:' .. index .. record[i], id) end
  end
  redis.call('ZREM', KEYS[1], id)
  redis.call('DEL', key)
end
return #ids`,
);

/**
 * KEYS index; ARGV order, from, exclusive to, count, time and id to go on after (or two empty strings).
 * Goes on by rank when the record it stopped at is still there. Returns id, time, id, time…
 */
const SCAN = script(
  'records scan',
  `local desc, from, to, count = ARGV[1] == 'desc', ARGV[2], '(' .. ARGV[3], tonumber(ARGV[4])
local time, id = ARGV[5], ARGV[6]
local function range(first, last, offset, limit)
  if desc then
    return redis.call('ZREVRANGEBYSCORE', KEYS[1], last, first, 'WITHSCORES', 'LIMIT', offset, limit)
  end
  return redis.call('ZRANGEBYSCORE', KEYS[1], first, last, 'WITHSCORES', 'LIMIT', offset, limit)
end
if id == '' then return range(from, to, 0, count) end
if desc then to = time else from = time end
local skip = 0
local rank = redis.call(desc and 'ZREVRANK' or 'ZRANK', KEYS[1], id)
local score = redis.call('ZSCORE', KEYS[1], id)
if rank and tonumber(score) == tonumber(time) then
  local before = desc and redis.call('ZCOUNT', KEYS[1], '(' .. time, '+inf')
    or redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. time)
  skip = rank - before + 1
else
  for _, tie in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], time, time)) do
    if tie == id or (tie < id) ~= desc then skip = skip + 1 end
  end
end
return range(from, to, skip, count)`,
);

/** Records as hashes, sorted sets by time, caller, callee, type and result, and a stream for consumers. */
export class RedisRecords implements RecordStore, RecordReader {
  constructor(private readonly redis: RedisConnection) {}

  async append(entries: readonly RecordEntry[]): Promise<void> {
    const rows = entries.map(toRow);
    for (let i = 0; i < rows.length; i += CHUNK)
      await this.redis.run(APPEND, [STREAM], [STREAM_MAX_ENTRIES, ...rows.slice(i, i + CHUNK).flat()]);
  }

  async get(id: string): Promise<RecordEntry | undefined> {
    keyBytes(id, MAX_RECORD_ID_BYTES);
    return (await this.load([id]))[0];
  }

  query(query: RecordQuery): Promise<RecordPage> {
    return queryRecords(this, query);
  }

  async count(): Promise<number> {
    return (await this.redis.call('ZCARD', indexKey('time'))) as number;
  }

  async removeBefore(time: number): Promise<number> {
    let removed = 0;
    for (;;) {
      const count = (await this.redis.run(REMOVE, [indexKey('time')], [time, CHUNK])) as number;
      removed += count;
      if (count < CHUNK) return removed;
    }
  }

  async load(ids: readonly string[]): Promise<(RecordEntry | undefined)[]> {
    const hashes = await Promise.all(ids.map((id) => this.redis.call('HMGET', recordKey(id), ...FIELDS)));
    return hashes.map((values, i) => toEntry(ids[i]!, values as (string | null)[]));
  }

  async scan({ index, from, to, after, order, count }: IndexScan): Promise<RecordPosition[]> {
    const args = [order, from, to, count, after?.time ?? '', after?.id ?? ''];
    const flat = (await this.redis.run(SCAN, [indexKey(index)], args)) as string[];
    const positions: RecordPosition[] = [];
    for (let i = 0; i < flat.length; i += 2) positions.push({ id: flat[i]!, time: Number(flat[i + 1]) });
    return positions;
  }
}

function toRow(entry: RecordEntry): (string | number)[] {
  keyBytes(entry.id, MAX_RECORD_ID_BYTES);
  const { id, type, result, caller, callee, body } = entry;
  return [id, wallTimeMs(entry.time, 'record time'), type, result, caller, callee, JSON.stringify(body)];
}

function toEntry(id: string, values: readonly (string | null)[]): RecordEntry | undefined {
  const [time, type, result, caller, callee, body] = values;
  if (typeof time !== 'string' || typeof body !== 'string') return undefined;
  return {
    id,
    time: Number(time),
    type: type ?? '',
    result: result ?? '',
    caller: caller ?? '',
    callee: callee ?? '',
    body: JSON.parse(body) as Json,
  };
}
