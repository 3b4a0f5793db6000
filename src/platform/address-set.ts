import ipaddr from 'ipaddr.js';

/** A network of `2 ** (width - bits)` addresses; a single address is one with all bits. */
interface Network {
  readonly kind: 'ipv4' | 'ipv6';
  readonly base: bigint;
  readonly bits: number;
}

const WIDTH = { ipv4: 32, ipv6: 128 } as const;
/** What stands before an IPv4 address in IPv6 form, ::ffff:192.0.2.7. */
const MAPPED_BITS = 96;

/**
 * An address or network as it is written here: `192.0.2.7`, `192.0.2.0/24`, `2001:db8::/32`. Bits outside the network are cleared, an
 * IPv4 address or network in IPv6 form becomes IPv4. Undefined for anything else.
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
  private count = 0;
  /** IPv4 addresses, by far the most usual entries, as text. */
  private readonly addresses = new Set<string>();
  private readonly networks = { ipv4: new Map<number, Set<number>>(), ipv6: new Map<number, Set<string>>() };

  /** Addresses and networks as `canonicalSource` takes them; throws RangeError for others. */
  constructor(sources: Iterable<string> = []) {
    for (const source of sources) this.add(source);
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }

  /** Adds one that `canonicalSource` takes; throws RangeError for others. Nothing happens when it is there. */
  add(source: string): void {
    if (ipv4Value(source) !== undefined) {
      this.count += added(this.addresses, source);
      return;
    }
    const network = mustParse(source);
    const { kind, base, bits } = network;
    if (isIpv4Address(network)) this.count += added(this.addresses, addressOf(network));
    else if (kind === 'ipv4') this.count += added(basesOf(this.networks.ipv4, bits), Number(base));
    else this.count += added(basesOf(this.networks.ipv6, bits), ipv6Key(wordsOf(base), bits));
  }

  /** Takes one out, as it was added; one that is not there is no fault. Throws RangeError for what is none. */
  delete(source: string): void {
    const network = mustParse(source);
    const { kind, base, bits } = network;
    if (isIpv4Address(network)) this.count -= Number(this.addresses.delete(addressOf(network)));
    else if (kind === 'ipv4') this.count -= removed(this.networks.ipv4, bits, Number(base));
    else this.count -= removed(this.networks.ipv6, bits, ipv6Key(wordsOf(base), bits));
  }

  /** Whether an address is one of these, or in one of these networks. False for what is no address. */
  has(address: string): boolean {
    if (this.count === 0) return false;
    if (this.addresses.has(address)) return true;
    return address.includes(':') ? this.hasIpv6(address) : this.hasIpv4(address);
  }

  /** Whether one of these has something in common with an address or network. Walks over all of them. Throws RangeError for what is none. */
  touches(source: string): boolean {
    const network = mustParse(source);
    return this.has(addressOf(network)) || this.hasInside(network);
  }

  private hasInside({ kind, base, bits }: Network): boolean {
    if (kind === 'ipv6') {
      const key = ipv6Key(wordsOf(base), bits);
      const isInside = (one: string): boolean => ipv6Key(one.trim().split(' ').map(Number), bits) === key;
      return allOf(this.networks.ipv6).some(isInside);
    }
    const size = 2 ** (WIDTH.ipv4 - bits);
    const bases = [...allOf(this.networks.ipv4), ...[...this.addresses].map((one) => ipv4Value(one) ?? 0)];
    return bases.some((one) => one - (one % size) === Number(base));
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
    const words = ipv6Words(address);
    if (!words) {
      // Written in another way, or none.
      const network = parseNetwork(address);
      return network !== undefined && this.has(addressOf(network));
    }
    for (const [bits, bases] of this.networks.ipv6) if (bases.has(ipv6Key(words, bits))) return true;
    return false;
  }
}

/** Text, since V8 hashes a bigint by its low 64 bits alone: those of networks are all alike, and a Set of them a list. */
function ipv6Key(words: readonly number[], bits: number): string {
  let key = '';
  for (const [index, word] of words.entries()) {
    const dropped = 32 - Math.min(Math.max(bits - 32 * index, 0), 32);
    key += `${dropped === 32 ? 0 : ((word >>> dropped) << dropped) >>> 0} `;
  }
  return key;
}

function wordsOf(base: bigint): number[] {
  return [96n, 64n, 32n, 0n].map((shift) => Number((base >> shift) & 0xffff_ffffn));
}

const isIpv4Address = ({ kind, bits }: Network): boolean => kind === 'ipv4' && bits === WIDTH.ipv4;

function basesOf<T>(networks: Map<number, Set<T>>, bits: number): Set<T> {
  const bases = networks.get(bits) ?? new Set();
  networks.set(bits, bases);
  return bases;
}

const allOf = <T>(networks: ReadonlyMap<number, Set<T>>): T[] =>
  [...networks.values()].flatMap((some) => [...some]);

/** 1 when it was not there. */
function added<T>(set: Set<T>, value: T): 0 | 1 {
  if (set.has(value)) return 0;
  set.add(value);
  return 1;
}

/** 1 when it was there. A length of prefix that no network has costs nothing any more. */
function removed<T>(networks: Map<number, Set<T>>, bits: number, base: T): 0 | 1 {
  const bases = networks.get(bits);
  if (!bases?.delete(base)) return 0;
  if (bases.size === 0) networks.delete(bits);
  return 1;
}

function mustParse(source: string): Network {
  const network = parseNetwork(source);
  if (!network) throw new RangeError(`${source} is no IP address or network`);
  return network;
}

function parseNetwork(text: string): Network | undefined {
  const [head = '', prefix, ...rest] = text.split('/');
  const [given = '', ...zone] = head.split('%');
  if (rest.length > 0 || (zone.length > 0 && prefix !== undefined)) return undefined;
  if (!ipaddr.IPv4.isValidFourPartDecimal(given) && !ipaddr.IPv6.isValid(given)) return undefined;
  const written = ipaddr.parse(given);
  const width = WIDTH[written.kind()];
  const length = prefix === undefined ? width : Number(prefix);
  if (prefix !== undefined && (!/^\d{1,3}$/.test(prefix) || length > width)) return undefined;
  const address = length < MAPPED_BITS ? written : ipaddr.process(given);
  const kind = address.kind();
  const bits = length - (width - WIDTH[kind]);
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

/** The number of a dotted address without leading zeros, without making anything. */
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
      if (part === 0) return undefined;
      part = Math.max(part, 0) * 10 + code - 48;
      if (part > 255) return undefined;
    } else return undefined;
  }
  return dots === 3 && part >= 0 ? value * 256 + part : undefined;
}

/**
 * The four 32-bit words of an IPv6 address as sockets write it. Undefined for what holds dots or a zone, for IPv4 in IPv6 form, and for
 * what is none.
 */
function ipv6Words(address: string): number[] | undefined {
  if (/^:[^:]|[^:]:$/.test(address)) return undefined;
  const groups: number[] = [];
  let gap = -1;
  let part = -1;
  for (let i = 0; i <= address.length; i++) {
    const digit = i === address.length ? COLON : hexDigit(address.charCodeAt(i));
    if (digit === undefined || groups.length > 8) return undefined;
    if (digit !== COLON) {
      part = Math.max(part, 0) * 16 + digit;
      if (part > 0xffff) return undefined;
    } else if (part >= 0) {
      groups.push(part);
      part = -1;
    } else if (i > 0 && address[i - 1] === ':' && i < address.length && gap < 0) gap = groups.length;
    else if (i > 0 && i < address.length) return undefined;
  }
  if (gap >= 0) groups.splice(gap, 0, ...new Array<number>(Math.max(8 - groups.length, 0)).fill(0));
  if (groups.length !== 8) return undefined;
  const words = [0, 2, 4, 6].map((at) => groups[at]! * 65_536 + groups[at + 1]!);
  return words[0] === 0 && words[1] === 0 && words[2] === 0xffff ? undefined : words;
}

const COLON = -1;

function hexDigit(code: number): number | undefined {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  if (letter >= 97 && letter <= 102) return letter - 87;
  return code === 58 ? COLON : undefined;
}
