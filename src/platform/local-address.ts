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

/** The first IPv6 address of this machine that others can reach, not loopback or link-local; undefined without one. */
export function detectServerIp6(): string | undefined {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { address, family, internal } of addresses ?? []) {
      if (family === 'IPv6' && !internal && !address.toLowerCase().startsWith('fe80:')) return address;
    }
  }
  return undefined;
}

/** Every address of this machine: a SIP URI with one of them as host means this server. */
export function localAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) =>
    (addresses ?? []).map(({ address }) => address),
  );
}
