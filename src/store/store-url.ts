import { join, resolve } from 'node:path';
import { StoreError } from './errors.js';

const DEFAULT_REDIS_PORT = 6379;
const DEFAULT_SENTINEL_PORT = 26379;

/** Where a Redis is and how to log in. `password` never leaves this value but towards Redis. */
export interface RedisTarget {
  readonly kind: 'redis';
  readonly tls: boolean;
  /** PEM file of the authority that signed the server's certificate; the system's authorities when absent. */
  readonly caFile?: string;
  /** One server; with `sentinelMaster` the sentinels to ask for it. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly sentinelMaster?: string;
  readonly username?: string;
  readonly password?: string;
  readonly database: number;
}

export interface EmbeddedTarget {
  readonly kind: 'embedded';
  /** Absolute directory of the LMDB environment. */
  readonly directory: string;
}

export type StoreTarget = RedisTarget | EmbeddedTarget;

const invalid = (message: string) => new StoreError('STORE_URL_INVALID', `STORE_URL: ${message}`);

/**
 * Reads a `STORE_URL`: `embedded:` (LMDB in `dataDir`/store), `embedded:./path`, `redis://[user:password@]host[:port][/db]`,
 * `rediss://…[?ca=/file.pem]` or `redis+sentinel://[:password@]host[:port][,host[:port]…]/master[/db]`.
 * Throws StoreError (STORE_URL_INVALID); its message never holds the password.
 */
export function parseStoreUrl(url: string, dataDir: string): StoreTarget {
  const scheme = /^([a-z+]+):/.exec(url)?.[1];
  switch (scheme) {
    case 'embedded':
      return { kind: 'embedded', directory: embeddedDirectory(url.slice('embedded:'.length), dataDir) };
    case 'redis':
    case 'rediss':
    case 'redis+sentinel':
      return parseRedisUrl(scheme, url.slice(scheme.length + 1));
    case 'redis+cluster':
      throw invalid('redis+cluster is not supported yet; use redis:// or redis+sentinel://');
    default:
      throw invalid('must begin with embedded:, redis://, rediss:// or redis+sentinel://');
  }
}

function embeddedDirectory(path: string, dataDir: string): string {
  const plain = path.startsWith('//') ? path.slice(2) : path;
  return plain === '' ? join(resolve(dataDir), 'store') : resolve(plain);
}

function parseRedisUrl(scheme: string, rest: string): RedisTarget {
  const match = /^\/\/(?:([^@/]*)@)?([^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(rest);
  if (!match) throw invalid(`must look like ${scheme}://[user:password@]host[:port][/database]`);
  const [, userInfo = '', authority = '', path = '', query = ''] = match;
  const sentinel = scheme === 'redis+sentinel';
  const parts = path.split('/').filter((part) => part !== '');
  const master = sentinel ? parts.shift() : undefined;
  if (sentinel && master === undefined)
    throw invalid('redis+sentinel needs the name of the master: /mymaster');
  const hosts = authority
    .split(',')
    .map((host) => parseHost(host, sentinel ? DEFAULT_SENTINEL_PORT : DEFAULT_REDIS_PORT));
  if (!sentinel && hosts.length > 1) throw invalid('names several hosts; only redis+sentinel:// may');
  const caFile = new URLSearchParams(query).get('ca');
  return {
    kind: 'redis',
    tls: scheme === 'rediss',
    ...(caFile !== null && { caFile }),
    hosts,
    ...(master !== undefined && { sentinelMaster: decode(master) }),
    ...parseUserInfo(userInfo),
    database: parseDatabase(parts),
  };
}

function parseHost(text: string, defaultPort: number): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?$/.exec(text);
  const port = match?.[3] === undefined ? defaultPort : Number(match[3]);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined || port < 1 || port > 65535) throw invalid('has a host or port that cannot be read');
  return { host, port };
}

function parseUserInfo(text: string): { username?: string; password?: string } {
  if (text === '') return {};
  const colon = text.indexOf(':');
  // A lone word is a password, as Redis clients take it.
  const username = colon > 0 ? decode(text.slice(0, colon)) : '';
  return { ...(username !== '' && { username }), password: decode(text.slice(colon + 1)) };
}

function parseDatabase(parts: readonly string[]): number {
  if (parts.length === 0) return 0;
  if (parts.length > 1 || !/^\d{1,5}$/.test(parts[0]!)) throw invalid('database must be a number');
  return Number(parts[0]);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('has a bad percent-encoding');
  }
}

/** What people may see of a target: no user, no password. */
export function describeTarget(target: StoreTarget): string {
  if (target.kind === 'embedded') return `lmdb ${target.directory}`;
  const hosts = target.hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`);
  const via = target.sentinelMaster === undefined ? '' : ` master ${target.sentinelMaster}`;
  return `${target.tls ? 'rediss' : 'redis'} ${hosts.join(',')}${via}/${target.database}`;
}
