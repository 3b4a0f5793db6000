import { randomFillSync } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const TOKEN_ALPHABET = 'abcdefghijklmnopqrstuvwxyz012345';
const POOL_BYTES = 4096;

const pool = Buffer.alloc(POOL_BYTES);
let poolOffset = POOL_BYTES;

/** Takes one random byte from a pool that is refilled in bulk: a system call for each id would show in profiles. */
function randomByte(): number {
  if (poolOffset === POOL_BYTES) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  return pool[poolOffset++]!;
}

const TOKEN_CODES = Array.from(TOKEN_ALPHABET, (char) => char.charCodeAt(0));
const tokenPool = Buffer.alloc(POOL_BYTES);
let tokenOffset = POOL_BYTES;

/**
 * A random token of `length` characters from [a-z0-5], 5 bits each, from the system's secure source.
 * Fit for tags (RFC 3261 §19.3 asks for at least 32 random bits), branches, Call-IDs and cookies.
 */
export function randomToken(length: number): string {
  if (length > POOL_BYTES) return randomToken(POOL_BYTES) + randomToken(length - POOL_BYTES);
  if (tokenOffset + length > POOL_BYTES) refillTokenPool();
  const start = tokenOffset;
  tokenOffset += length;
  return tokenPool.toString('latin1', start, tokenOffset);
}

/** Characters are made in bulk: a token is then one copy, not a chain of strings that others drag along. */
function refillTokenPool(): void {
  randomFillSync(tokenPool);
  for (let i = 0; i < POOL_BYTES; i++) tokenPool[i] = TOKEN_CODES[tokenPool[i]! & 31]!;
  tokenOffset = 0;
}

let lastUlidMs = 0;
let lastUlidRandom: number[] = [];

/**
 * A ULID: 48 bits of time and 80 random bits, 26 characters, sortable by time and unique across nodes.
 * Two made in the same millisecond by this process sort in the order they were made.
 */
export function ulid(nowMs: number): string {
  const ms = Math.max(nowMs, lastUlidMs);
  if (ms === lastUlidMs && lastUlidRandom.length === 16) {
    for (let i = 15; i >= 0; i--) {
      lastUlidRandom[i] = (lastUlidRandom[i]! + 1) & 31;
      if (lastUlidRandom[i] !== 0) break;
    }
  } else {
    lastUlidMs = ms;
    lastUlidRandom = Array.from({ length: 16 }, () => randomByte() & 31);
  }
  let time = '';
  for (let i = 9, rest = ms; i >= 0; i--, rest = Math.floor(rest / 32)) time = CROCKFORD[rest % 32] + time;
  return time + lastUlidRandom.map((value) => CROCKFORD[value]).join('');
}
