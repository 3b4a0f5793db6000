import { networkInterfaces } from 'node:os';

/** The first IPv4 address of this machine that is not loopback, else 127.0.0.1: what SERVER_IP is when not set. */
export function detectServerIp(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family, internal } of addresses ?? []) {
      if (family === 'IPv4' && !internal) return address;
    }
  }
  return '127.0.0.1';
}

/** Every address of this machine: a SIP URI with one of them as host means this server. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
}
