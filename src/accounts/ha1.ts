import { createHash } from 'node:crypto';
import type { Ha1 } from './types.js';

/** HA1 of a user for both digest algorithms: H(username ":" realm ":" password). RFC 7616 §3.4.2, RFC 8760 §2. */
export function toHa1(username: string, realm: string, password: string): Ha1 {
  const text = `${username}:${realm}:${password}`;
  return { md5: hash('md5', text), sha256: hash('sha256', text) };
}

function hash(algorithm: string, text: string): string {
  return createHash(algorithm).update(text, 'utf8').digest('hex');
}
