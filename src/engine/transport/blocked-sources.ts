import { BlockList, isIPv4, isIPv6 } from 'node:net';
import { AppError } from '../../platform/errors.js';

/** An address to be blocked is none. */
export class BlockedSourceError extends AppError {
  constructor(text: string) {
    super('ENGINE_BLOCKED_SOURCE', `${text}: an IP address or a network such as 192.0.2.0/24 is expected`);
  }
}

/** Sources that are not heard: what they send gets no answer. */
export class BlockedSources {
  private readonly list = new BlockList();
  private readonly isEmpty: boolean;

  /** IP addresses and networks (CIDR); throws BlockedSourceError. */
  constructor(sources: readonly string[]) {
    this.isEmpty = sources.length === 0;
    for (const source of sources) this.add(source);
  }

  has(address: string): boolean {
    return !this.isEmpty && this.list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  }

  private add(source: string): void {
    const [address = '', bits, ...rest] = source.split('/');
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined;
    const prefix = bits === undefined ? undefined : Number(bits);
    const isPrefix =
      bits === undefined || (/^\d{1,3}$/.test(bits) && prefix! <= (family === 'ipv4' ? 32 : 128));
    if (!family || !isPrefix || rest.length > 0) throw new BlockedSourceError(source);
    if (prefix === undefined) this.list.addAddress(address, family);
    else this.list.addSubnet(address, prefix, family);
  }
}
