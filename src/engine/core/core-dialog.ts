import type { SipMessage } from '../../sip/message.js';
import { parseUri } from '../../sip/uri.js';
import { contactUri, Dialog, type Peer } from '../dialog/dialog.js';
import { withAlternatives } from '../resolve/next-hops.js';
import { SAVED_DIALOG_VERSION, type SavedDialog } from '../survival/saved-dialog.js';
import { DEFAULT_PORTS, type FlowId, type Hop, type Source } from '../types.js';
import type { AnsweredInvite } from './answered-invite.js';
import type { Application } from './application.js';
import type { ClientRequest } from './client-request.js';
import type { CoreContext } from './core-context.js';
import type { Gate } from './gate.js';
import type { PendingRequest } from './pending-request.js';
import type { ReliableProvisionals } from './reliable-provisionals.js';
import { isSdp } from './sdp-body.js';
import type { SessionRefresh } from './session-refresh.js';
import type { SessionTimer } from './session-timer.js';

/** The name under which applications know a dialog: from-tag is that of the dialog's first request. */
export function wireDialogId(callId: string, fromTag: string | undefined): string {
  const id = `${callId};from-tag=${fromTag ?? ''}`;
  // A peer's Call-ID could hold what ends a field on the wire; RFC 3261 §25.1 allows none of it.
  return /[\0-\x1f|\x7f]/.test(id) ? id.replace(/[\0-\x1f|\x7f]/g, '%') : id;
}

/**
 * A restored dialog's requests begin so far above the last number that was kept, and numbers are kept when they have grown by half of
 * it: so a peer never sees one twice (RFC 3261 §12.2.1.1 lets them jump).
 */
const SEQ_STEP = 200;
/** Stands for a connection of an earlier engine: one that is gone. */
const LOST_FLOW: FlowId = -1;

/** A dialog as the core runs it: its RFC 3261 state, its application, and what is open in it. */
export class CoreDialog {
  /** Where requests go instead of where Contact and routes say: back down a NAT's hole or a connection. */
  override: Hop | undefined;
  /** Where the peer's last message that set its target came from. */
  private seenAt: Source | undefined;
  /** Contact of ours in this dialog. */
  contact = '';
  /** Our 2xx that waits for its ACK. */
  answered: AnsweredInvite | undefined;
  /** The peer's INVITE that has no final response yet. */
  peerInvite: PendingRequest | undefined;
  /** The peer's UPDATE that has no final response yet. */
  peerUpdate: PendingRequest | undefined;
  /** Reliable provisionals of the peer's last INVITE that had any. */
  reliable: ReliableProvisionals | undefined;
  /** Reliable provisionals that came and their forks, in order, for our PRACKs. */
  readonly prackPeers: { readonly rseq: number; readonly peer: Peer }[] = [];
  /** A refresh of the engine's own that is open (RFC 4028 §7.4). */
  ownRefresh: SessionRefresh | undefined;
  /** The session description last sent, for those re-INVITEs. */
  localSdp: string | undefined;
  /** The peer's Allow names UPDATE, which refreshes the session at less cost (RFC 4028 §7.4). */
  takesUpdate = false;
  /** RFC 4028. */
  session: SessionTimer | undefined;
  /** Our INVITE that has no final response yet. */
  ownInvite: ClientRequest | undefined;
  /** Our INVITEs that got a 2xx, by sequence number, until ACKed and over. */
  accepted: Map<number, ClientRequest> | undefined;
  /** Monotonic time since when its application is gone. */
  orphanedAtMs: number | undefined;
  /** Our last number when it was kept last. */
  private keptSeq = 0;
  /** Name of the transaction that founded it. */
  initialTxnId = '';

  constructor(
    readonly dialog: Dialog,
    readonly usage: 'invite' | 'subscribe',
    readonly wireId: string,
    public app: Application,
  ) {}

  /** What a request of our application has to wait for; undefined when it may go at once. */
  gateFor(method: string): Gate | undefined {
    // RFC 3261 §14.1: one INVITE at a time, and of the engine's own an application knows nothing.
    if (method === 'INVITE') return this.ownRefresh;
    // RFC 3261 §15: the callee's BYE waits for the ACK of its first 2xx.
    return method === 'BYE' && this.answered?.tx.id === this.initialTxnId ? this.answered : undefined;
  }

  /**
   * The fork whose reliable provisional of that number a PRACK of ours is for (RFC 3262 §4). Forks may count alike, and
   * the wire to applications does not say which is meant: they acknowledge in the order of arrival.
   */
  takePrackPeer(rseq: number): Peer | undefined {
    const same = this.prackPeers.filter((entry) => entry.rseq === rseq);
    const [first] = same;
    if (first && same.length > 1) this.prackPeers.splice(this.prackPeers.indexOf(first), 1);
    return first?.peer;
  }

  /** Keeps the session description that a message of ours carries. */
  rememberSdp(message: SipMessage): void {
    if (isSdp(message.bodyText)) this.localSdp = message.bodyText;
  }

  private rememberAllow(message: SipMessage): void {
    const allow = message.get('allow');
    if (allow !== undefined) this.takesUpdate = /\bUPDATE\b/i.test(allow);
  }

  /** A dialog of an earlier engine; its session timer is the caller's to start. */
  static restore(saved: SavedDialog, app: Application): CoreDialog {
    const { tag, address, target, routeSet } = saved.peer;
    const { remoteSeq } = saved;
    const localSeq = saved.localSeq + SEQ_STEP;
    const state = { ...saved, peer: { tag, address, target, routeSet }, localSeq, remoteSeq };
    const dialog = new CoreDialog(Dialog.restore(state), 'invite', saved.id, app);
    dialog.contact = saved.contact;
    dialog.takesUpdate = saved.takesUpdate;
    dialog.localSdp = saved.localSdp;
    dialog.seenAt = saved.seenAt;
    dialog.keptSeq = localSeq;
    if (saved.override) {
      const { isConnection, flowOnly, ...hop } = saved.override;
      const lost = { ...hop, flow: LOST_FLOW, ...(flowOnly && { flowOnly }) };
      dialog.override = isConnection ? lost : hop;
    }
    return dialog;
  }

  /** What a restart must not lose; undefined for what does not outlive one: subscriptions, early dialogs, those that are over. */
  save(): SavedDialog | undefined {
    const { dialog, usage, override, seenAt, session } = this;
    if (usage !== 'invite' || dialog.state !== 'confirmed') return undefined;
    const { role, callId, localTag, localAddress, localSeq, remoteSeq, peer } = dialog;
    this.keptSeq = localSeq;
    return {
      v: SAVED_DIALOG_VERSION,
      id: this.wireId,
      tags: [...this.app.tags],
      role,
      callId,
      localTag,
      localAddress,
      localSeq,
      remoteSeq,
      peer: { ...peer, routeSet: [...peer.routeSet] },
      contact: this.contact,
      takesUpdate: this.takesUpdate,
      ...(override && { override: savedHop(override) }),
      ...(seenAt && { seenAt: savedSource(seenAt) }),
      ...(session && {
        session: { intervalSec: session.intervalSec, isRefresherUs: session.isRefresherUs },
        localSdp: this.localSdp,
      }),
    };
  }

  /** Our numbers have gone on so far that they have to be kept anew. */
  get hasOutrunKeptSeq(): boolean {
    return this.dialog.localSeq - this.keptSeq >= SEQ_STEP / 2;
  }

  /** The dialog is over: transactions that linger for 32 s need not keep it, nor it what only its life needed. */
  letGo(): void {
    for (const request of this.accepted?.values() ?? []) request.dialog = undefined;
    this.accepted = undefined;
    this.prackPeers.length = 0;
    this.localSdp = undefined;
  }

  /** The next hop of a request in this dialog. Rejects or throws ResolveError; undefined when there is no target. */
  nextHop(ctx: CoreContext, uri = this.dialog.nextHopUri()): Hop | Promise<Hop> | undefined {
    if (uri === undefined) return undefined;
    const again = this.override && this.reconnected(ctx, this.override);
    if (again) return again;
    if (this.override && !this.mayLeave(ctx, this.override)) return this.override;
    const hop = ctx.resolve(uri);
    return hop instanceof Promise ? hop.then((found) => this.guard(ctx, found)) : this.guard(ctx, hop);
  }

  /** Of several targets the one that the dialog is with comes first (RFC 3263 §4.3: no other knows of it, maybe). */
  private seenFirst(hops: readonly Hop[]): readonly Hop[] {
    const seen = hops.find((hop) => this.seenAt && isSameHop(this.seenAt, hop));
    return seen ? [seen, ...hops.filter((hop) => hop !== seen)] : hops;
  }

  /** The connection by which a phone came back that had lost the one of this dialog (RFC 5626 §4.5). */
  private reconnected(ctx: CoreContext, { flow, address }: Hop): Hop | undefined {
    if (flow === undefined || ctx.hasFlow(flow)) return undefined;
    const hop = ctx.registeredFlows.findAgain(this.dialog.peer.target ?? '', address);
    return hop?.flow !== undefined && ctx.hasFlow(hop.flow) ? hop : undefined;
  }

  /** A connection is gone, and the peer's proxies have said where else they are reached (RFC 3261 §12.2.1.1). */
  private mayLeave(ctx: CoreContext, { flow }: Hop): boolean {
    return flow !== undefined && !ctx.hasFlow(flow) && this.dialog.peer.routeSet.length > 0;
  }

  /**
   * A peer leads us no closer to ourselves than it is: a Contact or a Record-Route that names this machine would have us
   * carry its words to whatever listens here. Such requests go back to where the peer was seen.
   */
  private guard(ctx: CoreContext, hop: Hop): Hop {
    const seen = this.seenAt;
    // RFC 3261 §26.1.5: nobody makes us knock at what listens on this machine alone.
    const isAllowed = ({ address }: Hop): boolean =>
      !seen || ctx.nearness(address) <= ctx.nearness(seen.address);
    const { alternatives, ...first } = hop;
    if (!alternatives && isAllowed(hop)) return hop;
    const allowed = this.seenFirst([first, ...(alternatives ?? [])].filter(isAllowed));
    if (allowed.length === 0) ctx.counters.hopsRefused++;
    return allowed.length === 0 ? hopOf(seen!) : withAlternatives(allowed);
  }

  /** Where the peer's requests come from decides where ours go, when its Contact cannot be reached. */
  followRequest(request: SipMessage, source: Source, detectNat: boolean): void {
    const target = contactUri(request);
    this.seenAt = source;
    this.rememberAllow(request);
    if (source.protocol !== 'udp') this.override = flowHop(source, target);
    else if (detectNat && !request.has('record-route') && !isAt(target, source, true))
      this.override = hopOf(source);
    else this.override = undefined;
  }

  /**
   * The same for the 2xx to our request, which was sent to `sentTo`. A 2xx that comes from exactly there shows a way that
   * works; another port of the host that Contact names may be a NAT's as well as a peer's that sends from elsewhere.
   */
  followResponse(response: SipMessage, source: Source, sentTo: Hop | undefined, detectNat: boolean): void {
    const target = contactUri(response);
    const top = this.dialog.peer.routeSet[0];
    const routeUri = top === undefined ? undefined : /<([^>]*)>/.exec(top)?.[1];
    this.override = undefined;
    this.seenAt = source;
    this.rememberAllow(response);
    // The name that led to it leads there again, or to its like when it fails.
    if (top === undefined && isName(target, sentTo?.name) && isSameHop(source, sentTo)) return;
    if (source.protocol !== 'udp') {
      if (top === undefined || isAt(routeUri, source, false))
        this.override = flowHop(source, routeUri ?? target);
    } else if (
      detectNat &&
      (top === undefined
        ? !isAt(target, source, isSameHop(source, sentTo))
        : isPrivateElsewhere(routeUri, source))
    )
      this.override = hopOf(source);
  }
}

function savedHop({ protocol, address, port, flow, flowOnly = false }: Hop) {
  return { protocol, address, port, isConnection: flow !== undefined, flowOnly };
}

function savedSource({ protocol, address, port, localAddress, localPort }: Source) {
  return { protocol, address, port, localAddress, localPort };
}

function isName(uri: string | undefined, name: string | undefined): boolean {
  return uri !== undefined && name !== undefined && parseUri(uri)?.host.toLowerCase() === name;
}

function isSameHop(source: Source, hop: Hop | undefined): boolean {
  return hop?.address === source.address && hop.port === source.port;
}

function hopOf({ protocol, address, port, flow }: Source): Hop {
  return withFlow({ protocol, address, port }, flow);
}

/** The connection while it lives; then the address the peer names, if it is the one it was seen at, else nothing. */
function flowHop(source: Source, uri: string | undefined): Hop {
  const { protocol, address, port, flow } = source;
  if (isAt(uri, source, false))
    return withFlow({ protocol, address, port: parseUri(uri!)?.port ?? DEFAULT_PORTS[protocol] }, flow);
  return { ...withFlow({ protocol, address, port }, flow), flowOnly: true };
}

function withFlow(hop: Hop, flow: FlowId | undefined): Hop {
  return flow === undefined ? hop : { ...hop, flow };
}

function isAt(uri: string | undefined, source: Source, withPort: boolean): boolean {
  const parsed = uri === undefined ? undefined : parseUri(uri);
  return parsed?.host === source.address && (!withPort || (parsed.port ?? 5060) === source.port);
}

/** A private address in a route of a peer seen elsewhere cannot be reached (RFC 1918). */
function isPrivateElsewhere(uri: string | undefined, source: Source): boolean {
  const host = uri === undefined ? undefined : parseUri(uri)?.host;
  return (
    host !== undefined && host !== source.address && /^(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\./.test(host)
  );
}
