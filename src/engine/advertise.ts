import ipaddr from 'ipaddr.js';
import { isUsableOver } from './own-addresses.js';
import type { BoundListener, SentBy } from './transport/types.js';

/** The address that peers are told instead of the one a listener is bound to. */
export interface AdvertisedAddress {
  /** IP literal, IPv6 without brackets. */
  readonly address: string;
  /** Networks (CIDR) whose peers are told the bound address all the same; default none. */
  readonly localNetworks?: readonly string[];
}

/** What the peers of one network are told. */
export interface AdvertiseRule {
  /** CIDR; of those a peer is in the narrowest counts. */
  readonly network: string;
  /** IP literal, IPv6 without brackets; counts for listeners of its family. */
  readonly address: string;
}

/** Peers whose address is remembered, for each listener. */
const MAX_REMEMBERED = 4096;

type Network = readonly [ipaddr.IPv4 | ipaddr.IPv6, number];

/**
 * Which address of ours each peer is told in Via, Contact and Record-Route (RFC 3261 §18.1.1): that of the narrowest rule
 * for its network, else the one advertised to all, else what the listener is bound to.
 */
export class Advertiser {
  private readonly rules: readonly { readonly network: Network; readonly address: string }[];
  private readonly local: readonly Network[];
  /** By peer, for each listener: every message asks, and the answer stays. */
  private readonly known = new Map<BoundListener, Map<string, SentBy | undefined>>();

  constructor(
    rules: readonly AdvertiseRule[],
    private readonly general: AdvertisedAddress | undefined,
  ) {
    this.rules = rules
      .map(({ network, address }) => ({ network: ipaddr.parseCIDR(network), address }))
      .sort((a, b) => b.network[1] - a.network[1]);
    this.local = (general?.localNetworks ?? []).map((cidr) => ipaddr.parseCIDR(cidr));
  }

  /** Every address that some peer is told. */
  get addresses(): string[] {
    const all = [
      ...this.rules.map(({ address }) => address),
      ...(this.general ? [this.general.address] : []),
    ];
    return [...new Set(all)];
  }

  /** What a listener tells a peer; undefined for the address it is bound to. */
  sentBy(listener: BoundListener, peer: string): SentBy | undefined {
    if (this.rules.length === 0 && !this.general) return undefined;
    const ofListener = this.knownOf(listener);
    if (ofListener.has(peer)) return ofListener.get(peer);
    const address = this.forPeer(listener.address, peer);
    const sentBy = address === undefined ? undefined : { host: address, port: listener.port };
    ofListener.set(peer, sentBy);
    return sentBy;
  }

  /** What the widest network is told of a listener: its name for those that we know nothing of. */
  forAll(listener: BoundListener): string | undefined {
    const usable = this.rules.filter(({ address }) => isUsableOver(address, listener.address));
    return this.generalOver(listener.address) ?? usable.at(-1)?.address;
  }

  private knownOf(listener: BoundListener): Map<string, SentBy | undefined> {
    const known = this.known.get(listener);
    if (known && known.size < MAX_REMEMBERED) return known;
    const fresh = new Map<string, SentBy | undefined>();
    this.known.set(listener, fresh);
    return fresh;
  }

  private forPeer(listenerAddress: string, peer: string): string | undefined {
    const parsed = ipaddr.isValid(peer) ? ipaddr.process(peer) : undefined;
    const isIn = ([net, bits]: Network): boolean =>
      parsed !== undefined && net.kind() === parsed.kind() && parsed.match([net, bits] as never);
    const rule = this.rules.find(
      ({ network, address }) => isUsableOver(address, listenerAddress) && isIn(network),
    );
    if (rule) return rule.address;
    return this.local.some(isIn) ? undefined : this.generalOver(listenerAddress);
  }

  private generalOver(listenerAddress: string): string | undefined {
    const { general } = this;
    return general && isUsableOver(general.address, listenerAddress) ? general.address : undefined;
  }
}
