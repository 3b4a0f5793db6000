import ipaddr from 'ipaddr.js';

/** A network of `2 ** (width - bits)` addresses; a single address is one with all bits. */
interface Network {
  readonly kind: 'ipv4' | 'ipv6';
  readonly base: bigint;
  readonly bits: number;
}

const WIDTH = { ipv4: 32, ipv6: 128 } as const;

/**
 * An address or network as it is written here: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. Bits outside the network are cleared, an
 * IPv4 address in IPv6 form becomes IPv4. Undefined for anything else.
 */
export function canonicalSource(text: string): string | undefined {
  const network = parseNetwork(text);
  if (!network) return undefined;
  const { kind, bits } = network;
  const address = addressOf(network);
  return bits === WIDTH[kind] ? address : `${address}/${bits}`;
}

/** IP addresses and networks. Asking costs a look-up for each length of prefix that is in the set, however many entries there are. */
export class AddressSet {
  /** Whether nothing is in it. */
  readonly isEmpty: boolean;
  /** IPv4 addresses, by far the most usual entries, as text. */
  private readonly addresses = new Set<string>();
  private readonly networks = { ipv4: new Map<number, Set<number>>(), ipv6: new Map<number, Set<bigint>>() };

  /** Addresses and networks as `canonicalSource` takes them; throws RangeError for others. */
  constructor(sources: Iterable<string> = []) {
    let count = 0;
    for (const source of sources) {
      const network = parseNetwork(source);
      if (!network) throw new RangeError(`${source} is no IP address or network`);
      this.add(network);
      count++;
    }
    this.isEmpty = count === 0;
  }

  /** Whether an address is one of these, or in one of these networks. False for what is no address. */
  has(address: string): boolean {
    if (this.isEmpty) return false;
    if (this.addresses.has(address)) return true;
    return address.includes(':') ? this.hasIpv6(address) : this.hasIpv4(address);
  }

  private add(network: Network): void {
    const { kind, base, bits } = network;
    if (kind === 'ipv4' && bits === WIDTH.ipv4) this.addresses.add(addressOf(network));
    else if (kind === 'ipv4') place(this.networks.ipv4, bits, Number(base));
    else place(this.networks.ipv6, bits, base);
  }

  private hasIpv4(address: string): boolean {
    if (this.networks.ipv4.size === 0) return false;
    const value = ipv4Value(address);
    if (value === undefined) return false;
    for (const [bits, bases] of this.networks.ipv4)
      if (bases.has(value - (value % 2 ** (WIDTH.ipv4 - bits)))) return true;
    return false;
  }

  private hasIpv6(address: string): boolean {
    const network = parseNetwork(address);
    // One of IPv4 in the other form.
    if (network?.kind === 'ipv4') return this.has(addressOf(network));
    if (!network) return false;
    for (const [bits, bases] of this.networks.ipv6) if (bases.has(masked(network, bits))) return true;
    return false;
  }
}

function place<T>(networks: Map<number, Set<T>>, bits: number, base: T): void {
  const bases = networks.get(bits);
  if (bases) bases.add(base);
  else networks.set(bits, new Set([base]));
}

function parseNetwork(text: string): Network | undefined {
  const [head = '', prefix, ...rest] = text.split('/');
  const [given = '', ...zone] = head.split('%');
  if (rest.length > 0 || (zone.length > 0 && prefix !== undefined)) return undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(given) && !ipaddr.IPv6.isValid(given)) return undefined;
  const address = prefix === undefined ? ipaddr.process(given) : ipaddr.parse(given);
  const kind = address.kind();
  const bits = prefix === undefined ? WIDTH[kind] : Number(prefix);
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || bits > WIDTH[kind])) return undefined;
  const base = BigInt(`0x${Buffer.from(address.toByteArray()).toString('hex')}`);
  return { kind, base: masked({ kind, base }, bits), bits };
}

function masked({ kind, base }: Pick<Network, 'kind' | 'base'>, bits: number): bigint {
  const rest = BigInt(WIDTH[kind] - bits);
  return (base >> rest) << rest;
}

function addressOf({ kind, base }: Network): string {
  const octets = Buffer.from(base.toString(16).padStart(WIDTH[kind] / 4, '0'), 'hex');
  return ipaddr.fromByteArray([...octets]).toString();
}

/** The number of a dotted address, without making anything. */
function ipv4Value(address: string): number | undefined {
  let value = 0;
  let part = -1;
  let dots = 0;
  for (let i = 0; i < address.length; i++) {
    const code = address.charCodeAt(i);
    if (code === 46) {
      if (part < 0) return undefined;
      value = value * 256 + part;
      part = -1;
      dots++;
    } else if (code >= 48 && code <= 57) {
      part = Math.max(part, 0) * 10 + code - 48;
      if (part > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && part >= 0 ? value * 256 + part : undefined;
}
