import { isIPv4 } from 'node:net';
import type { Config } from '../config/schema.js';
import { detectServerIp } from '../platform/local-address.js';

type Addressing = Pick<Config, 'SERVER_IP' | 'SIP_LISTEN'>;

/**
 * The address that this server is told by: SERVER_IP; else the one IPv4 address that it listens on for SIP; else the first
 * of the machine.
 */
export function serverIpOf({ SERVER_IP, SIP_LISTEN }: Addressing): string {
  if (SERVER_IP !== undefined) return SERVER_IP;
  const bound = new Set(SIP_LISTEN.map(({ address }) => address).filter((address) => isIPv4(address)));
  const [only] = bound;
  return bound.size === 1 && only !== undefined && only !== '0.0.0.0' ? only : detectServerIp();
}
