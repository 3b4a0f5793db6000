/** How long after a new U or L another sender may take over from a known one, milliseconds. */
export const RELEARN_WINDOW_MS = 10_000;

/**
 * Which sender a relay port listens to and where it sends. The rule (docs/adr/0005-media-latching.md):
 * - Until a packet has come, sending goes to the address that was told. A packet counts only from an expected IP
 *   address: the told one, or a second one that the controller vouches for. Its port may be another (NAT).
 * - The first such packet is learned: from then on only that address and port is heard and sent to.
 * - A packet from exactly the told address and port beats a learned one that only shares the IP address.
 * - A new U or L for the side opens the question again, for RELEARN_WINDOW_MS where a sender was known. Until a new
 *   sender shows, the old one is still heard.
 */
export class SourceLatch {
  /** Where to send; port 0 means nowhere yet. Read by the packet path. */
  address = '';
  port = 0;
  /** True when a packet from exactly `address` and `port` needs no further question. Read by the packet path. */
  settled = false;

  private told: { address: string; port: number } | undefined;
  private alsoExpected: string | undefined;
  private learned = false;
  private open = false;
  private openedAtMs = 0;
  /** A told address that waits for the other side's answer before it is sent to. */
  private pending: { address: string; port: number } | undefined;
  private asymmetric = false;

  /** `trustAnySource` drops the rule of expected addresses: the first sender of anything like media is learned. */
  constructor(
    private readonly trustAnySource: boolean,
    /** False for a target that must not be sent to; the latch then aims nowhere. */
    private readonly mayAim: (address: string, port: number) => boolean = () => true,
  ) {}

  /** True when the present address was learned from a packet. */
  get isLearned(): boolean {
    return this.learned;
  }

  /**
   * Takes what an offer or answer says of the party. While a learned sender is up, a new address is only listened
   * for; it is sent to after `confirm`, because an offer may be refused (RFC 3264 §8.3.1).
   */
  tell(remote: { address: string; port: number } | null, options: TellOptions): void {
    this.asymmetric = options.asymmetric;
    this.alsoExpected = options.alsoExpected;
    this.settled = false;
    this.open = true;
    this.openedAtMs = options.nowMs;
    if (remote === null) return;
    const isSame = this.told?.address === remote.address && this.told.port === remote.port;
    this.told = remote;
    if (!this.learned || this.asymmetric) this.aim(remote);
    else if (!isSame) this.pending = remote;
  }

  /** The exchange is complete: what was told last is now also sent to, unless a packet has already shown better. */
  confirm(): void {
    if (!this.pending) return;
    this.aim(this.pending);
    this.learned = false;
    this.open = true;
    this.settled = false;
  }

  /** A guess from the RTP sender for its RTCP: the next port of the same host. RFC 3550 §11. */
  guess(address: string, port: number): void {
    if (this.learned || this.asymmetric || port > 65_535) return;
    this.aim({ address, port });
  }

  /** The relay has new ports: what may be sent to is judged anew. */
  recheck(): void {
    if (this.port !== 0) this.aim({ address: this.address, port: this.port });
  }

  /** Decides on a packet that the fast path did not know. Returns true when it is to be relayed. */
  admit(address: string, port: number, firstByte: number, nowMs: number): boolean {
    if (this.asymmetric) return this.isExpected(address);
    const isCurrent = this.learned && address === this.address && port === this.port;
    if (this.open && this.learned && nowMs - this.openedAtMs > RELEARN_WINDOW_MS) this.shut();
    const isTold = this.told !== undefined && address === this.told.address && port === this.told.port;
    if (isCurrent && !isTold) return true;
    if (!isTold && !(this.open && this.isExpected(address) && looksLikeMedia(firstByte))) return false;
    return this.learn(address, port);
  }

  private shut(): void {
    this.open = false;
    this.settled = true;
  }

  private learn(address: string, port: number): boolean {
    if (!this.aim({ address, port })) return false;
    this.learned = true;
    this.shut();
    return true;
  }

  private aim(remote: { address: string; port: number }): boolean {
    this.pending = undefined;
    const isAllowed = remote.port === 0 || this.mayAim(remote.address, remote.port);
    this.address = isAllowed ? remote.address : '';
    this.port = isAllowed ? remote.port : 0;
    return isAllowed;
  }

  private isExpected(address: string): boolean {
    return this.trustAnySource || address === this.told?.address || address === this.alsoExpected;
  }
}

/**
 * True for what may share a media port: RTP and RTCP (version 2), STUN, DTLS (RFC 7983 §7), and the first T.38
 * UDPTL packets, whose sequence numbers start small. Only a sender still unknown is asked for it.
 */
export function looksLikeMedia(firstByte: number): boolean {
  return firstByte <= 3 || (firstByte >= 20 && firstByte <= 63) || (firstByte >= 128 && firstByte <= 191);
}

/** What goes with a told address. */
export interface TellOptions {
  readonly alsoExpected?: string | undefined;
  /** Never learn: the party sends from elsewhere than it listens. */
  readonly asymmetric: boolean;
  readonly nowMs: number;
}
