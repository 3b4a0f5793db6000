import { type SipMessage, SipRequest, type SipResponse } from '../../sip/message.js';
import { parseNameAddr } from '../../sip/name-addr.js';

export type DialogState = 'early' | 'confirmed' | 'terminated';

/** Early dialogs that one INVITE may found by forking (RFC 3261 §12.1.2); further ones are not followed. */
export const MAX_FORKS = 16;

/** The far end of a dialog: what RFC 3261 §12.1 calls remote tag, remote URI, remote target and route set. */
export interface Peer {
  /** Undefined for a UAC before the first response with a tag, and for RFC 2543 peers. */
  readonly tag: string | undefined;
  /** Value of the To we send, tag included. */
  readonly address: string;
  /** URI of its Contact; undefined when it gave none. */
  target: string | undefined;
  /** Values of the Route header fields we send, top first. */
  readonly routeSet: readonly string[];
}

/** What makes a confirmed dialog once more. */
export interface RestorableDialog
  extends Pick<Dialog, 'role' | 'callId' | 'localTag' | 'localAddress' | 'localSeq' | 'remoteSeq' | 'peer'> {}

/** State of one dialog (RFC 3261 §12), and the requests it makes. A UAC keeps all forks of its INVITE in one. */
export class Dialog {
  state: DialogState = 'early';
  /** Number of our last request; undefined for a UAS that has sent none. */
  localSeq: number;
  /** Number of the peer's last request; undefined for a UAC that has got none. */
  remoteSeq: number | undefined;
  /** DialogTable's own. */
  tableKey: string | undefined;
  private forks: Map<string, Peer> | undefined;
  /** Where the INVITE went: the target of early forks whose provisionals have no Contact. */
  private firstTarget: string | undefined;

  private constructor(
    readonly role: 'uac' | 'uas',
    readonly callId: string,
    readonly localTag: string,
    /** Value of the From we send, tag included. */
    readonly localAddress: string,
    public peer: Peer,
    localSeq: number,
  ) {
    this.localSeq = localSeq;
  }

  /** RFC 3261 §12.1.1. `localAddress` is the To of our response, with `localTag`. Our numbers go on from the request's. */
  static asUas(request: SipRequest, localTag: string, localAddress: string): Dialog {
    const peer: Peer = {
      tag: request.fromTag,
      address: request.get('from') ?? '',
      target: contactUri(request),
      routeSet: request.list('record-route'),
    };
    const seq = request.cseq?.seq ?? 0;
    const dialog = new Dialog('uas', request.callId ?? '', localTag, localAddress, peer, seq);
    dialog.remoteSeq = seq;
    return dialog;
  }

  /** RFC 3261 §12.1.2, before any response. */
  static asUac(request: SipRequest): Dialog {
    const peer: Peer = { tag: undefined, address: request.get('to') ?? '', target: undefined, routeSet: [] };
    const from = request.get('from') ?? '';
    const seq = request.cseq?.seq ?? 0;
    const dialog = new Dialog('uac', request.callId ?? '', request.fromTag ?? '', from, peer, seq);
    dialog.firstTarget = request.requestUri;
    return dialog;
  }

  /** A confirmed dialog of an earlier engine; its numbers go on from `localSeq`. */
  static restore(state: RestorableDialog): Dialog {
    const { role, callId, localTag, localAddress, localSeq, remoteSeq, peer } = state;
    const dialog = new Dialog(role, callId, localTag, localAddress, { ...peer }, localSeq);
    dialog.remoteSeq = remoteSeq;
    dialog.state = 'confirmed';
    return dialog;
  }

  /** Takes the peer of a response that founds an early dialog; later ones of the same fork refresh its target. */
  learn(response: SipResponse): void {
    const tag = response.toTag;
    if (this.role === 'uas' || this.state !== 'early' || tag === undefined) return;
    this.forks ??= new Map();
    const known = this.forks.get(tag.toLowerCase());
    if (!known && this.forks.size >= MAX_FORKS) return;
    const peer = known ?? peerOfResponse(response);
    // RFC 3261 §12.1.1 wants a Contact there, but phones that send reliable provisionals without one are about.
    peer.target ??= this.firstTarget;
    if (known) known.target = contactUri(response) ?? known.target;
    else this.forks.set(tag.toLowerCase(), peer);
    this.peer = peer;
  }

  /** The 2xx that makes the dialog; a UAC computes the route set anew from it (RFC 3261 §13.2.2.4). */
  confirm(response?: SipResponse): void {
    this.state = 'confirmed';
    if (this.role === 'uas' || !response) return;
    this.peer = peerOfResponse(response);
    this.forks = undefined;
  }

  /** The fork with that tag while the dialog is early, else the peer if it has that tag; tags ignore case. */
  peerWithTag(tag: string | undefined): Peer | undefined {
    const wanted = tag?.toLowerCase();
    const fork = wanted === undefined ? undefined : this.forks?.get(wanted);
    return fork ?? (this.peer.tag?.toLowerCase() === wanted ? this.peer : undefined);
  }

  /** RFC 3261 §12.2.2: false when the peer's request is out of order. Takes its number otherwise. */
  acceptRemoteSeq(seq: number): boolean {
    if (this.remoteSeq !== undefined && seq < this.remoteSeq) return false;
    this.remoteSeq = seq;
    return true;
  }

  /** Target refresh by a re-INVITE, UPDATE or SUBSCRIBE or the 2xx to one (RFC 3261 §12.2.1.2, §12.2.2; RFC 3311 §5). */
  refreshTarget(message: SipMessage): void {
    this.peer.target = contactUri(message) ?? this.peer.target;
  }

  /** URI that decides the next hop: the top route, else the remote target (RFC 3261 §8.1.2). */
  nextHopUri(peer: Peer = this.peer): string | undefined {
    const top = peer.routeSet[0];
    return top === undefined ? peer.target : (parseNameAddr(top)?.uri ?? peer.target);
  }

  /**
   * A request of this dialog without Via and Contact (RFC 3261 §12.2.1.1). Without `seq` it gets the next number;
   * ACK and CANCEL take their INVITE's. Needs a remote target.
   */
  createRequest(method: string, seq = ++this.localSeq, peer: Peer = this.peer): SipRequest {
    const { requestUri, routes } = requestUriAndRoutes(peer);
    const request = new SipRequest(method, requestUri);
    for (const route of routes) request.append('Route', route);
    request.append('Max-Forwards', '70');
    request.append('From', this.localAddress);
    request.append('To', peer.address);
    request.append('Call-ID', this.callId);
    return request.append('CSeq', `${seq} ${method}`);
  }
}

function peerOfResponse(response: SipResponse): Peer {
  return {
    tag: response.toTag,
    address: response.get('to') ?? '',
    target: contactUri(response),
    routeSet: response.list('record-route').reverse(),
  };
}

/** RFC 3261 §12.2.1.1: a first route without `lr` is a strict router and becomes the Request-URI. */
function requestUriAndRoutes(peer: Peer): { requestUri: string; routes: readonly string[] } {
  const target = peer.target ?? '';
  const top = peer.routeSet[0];
  const topUri = top === undefined ? undefined : parseNameAddr(top)?.uri;
  if (topUri === undefined || /;lr(?=[;=?]|$)/i.test(topUri))
    return { requestUri: target, routes: peer.routeSet };
  return { requestUri: topUri.replace(/\?.*$/, ''), routes: [...peer.routeSet.slice(1), `<${target}>`] };
}

/** URI of the first Contact; undefined when there is none or it is `*`. */
export function contactUri(message: SipMessage): string | undefined {
  const first = message.list('contact')[0];
  return first === undefined ? undefined : parseNameAddr(first)?.uri;
}
