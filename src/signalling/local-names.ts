import { hostname, networkInterfaces } from 'node:os';
import { uriHost } from './hostport.js';

/** Names and addresses by which peers may call this server in URIs. Compared without regard to case (RFC 3261 §19.1.4). */
export class LocalNames {
  private readonly names = new Set<string>();

  constructor(names: Iterable<string> = []) {
    this.add(...names);
  }

  /** Adds host names, domains or addresses; empty and wildcard ones are left out. */
  add(...names: readonly string[]): void {
    for (const name of names) {
      const plain = normal(name);
      if (plain !== '' && plain !== '0.0.0.0' && plain !== '::') this.names.add(plain);
    }
  }

  /** True when a URI's host names this server. */
  has(host: string): boolean {
    return this.names.has(normal(host));
  }

  list(): string[] {
    return [...this.names].map(uriHost);
  }
}

/** What this machine is called by itself: `localhost`, its host name, the addresses of its interfaces. */
export function machineNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return ['localhost', hostname(), ...addresses.map((item) => item.address)];
}

function normal(host: string): string {
  return host
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
}
