import { invalidArgument } from './errors.js';

/** Longest key of a collection, bytes of UTF-8. */
export const MAX_KEY_BYTES = 255;
/** Longest address-of-record, bytes of UTF-8. */
export const MAX_AOR_BYTES = 512;
/** Longest record id, bytes of UTF-8. A ULID has 26. */
export const MAX_RECORD_ID_BYTES = 64;
/** Most entries of one page. */
export const MAX_PAGE_SIZE = 1000;
export const DEFAULT_PAGE_SIZE = 100;

/**
 * The bytes of a key. Throws StoreError (STORE_ARGUMENT_INVALID) when it is empty, too long, or holds a lone surrogate,
 * which UTF-8 cannot carry and which two keys could therefore share.
 */
export function keyBytes(key: string, maxBytes = MAX_KEY_BYTES): Buffer {
  const bytes = Buffer.from(key, 'utf8');
  if (bytes.length === 0 || bytes.length > maxBytes)
    throw invalidArgument(`key must have 1..${maxBytes} bytes, has ${bytes.length}`);
  if (bytes.toString('utf8') !== key) throw invalidArgument('key is not well-formed Unicode');
  return bytes;
}

/** A page size within 1..MAX_PAGE_SIZE; DEFAULT_PAGE_SIZE when not given. */
export function pageSize(limit: number | undefined): number {
  if (limit === undefined) return DEFAULT_PAGE_SIZE;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_SIZE)
    throw invalidArgument(`limit must be 1..${MAX_PAGE_SIZE}`);
  return limit;
}

/** A wall time that the indexes can order: whole milliseconds, 0..2^48-1. */
export function wallTimeMs(time: number, what: string): number {
  const whole = Math.floor(time);
  if (!(whole >= 0 && whole < 2 ** 48)) throw invalidArgument(`${what} is not a time in milliseconds`);
  return whole;
}
