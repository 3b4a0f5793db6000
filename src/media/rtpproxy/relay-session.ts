import { checkAnswer } from '../../sdp/offer-answer.js';
import type { StreamTarget } from '../../sdp/rewrite-sdp.js';
import { type MediaStream, parseSdp, type SessionDescription } from '../../sdp/session-description.js';
import { expectedParty } from '../party-address.js';
import type { SavedMedia } from '../saved-media.js';
import {
  BadSdpError,
  type MediaAgreement,
  MediaError,
  type MediaPeer,
  type MediaSession,
  type MediaSide,
  type MediaStreamStats,
} from '../types.js';
import { DescriptionWriter } from './description-writer.js';
import { type RelayNode, streamKey } from './relay-node.js';
import { RelayRefusal, type StreamFigures } from './rtpproxy-client.js';

/** Whose sessions they are. */
export interface RelaySessionUser {
  /** Gives the relays to try for a new call, or to go on with when `current` has failed; best first. */
  chooseNodes(current: RelayNode | undefined): RelayNode[];
  /** Its ports are free, or will be when its relay answers again. */
  onClosed(session: RtpProxySession): void;
  /** A call has moved from this relay to another. */
  onLeft(node: RelayNode): void;
}

/** An offer and what came of it; answers may come several times (183, then 200; forks). RFC 3264 §4. */
interface Exchange {
  readonly offerer: MediaSide;
  readonly offer: SessionDescription;
  answered?: Answered;
}

/** An answer as it came, and what was made of it. */
interface Answered {
  readonly sdp: string;
  readonly signallingAddress: string;
  readonly result: string;
}

/** What is remembered of a stream for the figures. */
interface StreamRecord {
  kind: string;
  codec?: string;
  figures?: StreamFigures;
}

/** Where the call's media is. */
interface Place {
  readonly node: RelayNode;
  /** The call's name there; another one at each attempt, so that a delete that comes late hits nothing newer. */
  readonly relayCallId: string;
}

type Targets = (StreamTarget | 'reject')[];

/** The media of one call on one RTPProxy: a relay session for each m-line, moved elsewhere when the relay is gone. */
export class RtpProxySession implements MediaSession {
  private readonly writers: Readonly<Record<MediaSide, DescriptionWriter>>;
  /** Ports that each side was told, by the number of the stream. */
  private readonly ports = { a: new Map<number, number>(), b: new Map<number, number>() };
  private readonly records = new Map<number, StreamRecord>();
  private place: Place | undefined;
  private attempts = 0;
  private exchange: Exchange | undefined;
  private readonly lastAnswers: Partial<Record<MediaSide, Answered>> = {};
  private tail: Promise<unknown> = Promise.resolve();
  private closing: Promise<MediaStreamStats[]> | undefined;

  constructor(
    private readonly id: string,
    private readonly user: RelaySessionUser,
    former?: { readonly node: RelayNode; readonly saved: SavedMedia },
  ) {
    const origins = former?.saved.origins;
    this.writers = { a: new DescriptionWriter(origins?.a), b: new DescriptionWriter(origins?.b) };
    if (former) this.place = { node: former.node, relayCallId: former.saved.relayCallId };
    this.attempts = former?.saved.attempts ?? 0;
  }

  /** The relay that has it; undefined before the first offer. */
  get node(): RelayNode | undefined {
    return this.place?.node;
  }

  save(): SavedMedia | undefined {
    const { place, attempts, ports, writers, records } = this;
    if (!place) return undefined;
    return {
      relay: place.node.name,
      url: place.node.controlUrl,
      relayCallId: place.relayCallId,
      attempts,
      ports: { a: Object.fromEntries(ports.a), b: Object.fromEntries(ports.b) },
      origins: { a: writers.a.origin, b: writers.b.origin },
      codecs: Object.fromEntries([...records].map(([index, { kind, codec }]) => [index, { kind, codec }])),
    };
  }

  /** Called once, before anything else: the relay's session as it was, made again there if need be. */
  async resume(saved: SavedMedia, agreed: MediaAgreement): Promise<void> {
    const { place } = this;
    if (!place) throw new MediaError('nothing to go on with');
    const [offer, answer] = [parseSdp(agreed.offer), parseSdp(agreed.answer)];
    for (const [index, record] of Object.entries(saved.codecs))
      this.records.set(Number(index), {
        kind: record.kind,
        ...(record.codec !== undefined && { codec: record.codec }),
      });
    for (const side of ['a', 'b'] as const)
      for (const [index, port] of Object.entries(saved.ports[side]))
        this.ports[side].set(Number(index), port);
    const { offerer } = agreed;
    this.exchange = { offerer, offer };
    const live = answer.streams.filter(({ index, port }) => port !== 0 && offer.streams[index]?.port !== 0);
    const known = await Promise.all(live.map(({ index }) => isKnownThere(place, index)));
    const lost = live.filter((_, at) => !known[at]).map(({ index }) => index);
    if (lost.length === 0) return;
    if (!(await place.node.canRestore())) throw new MediaError('the media relay has forgotten the call');
    const only = (streams: readonly MediaStream[]) => streams.filter(({ index }) => lost.includes(index));
    const answerer = offerer === 'a' ? 'b' : 'a';
    const { offerPeer, answerPeer } = agreed;
    await tellRelay(place, 'offer', offerer, only(offer.streams), offerPeer, this.ports[answerer]);
    await tellRelay(place, 'answer', offerer, only(answer.streams), answerPeer, this.ports[offerer]);
  }

  offer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string> {
    return this.inTurn(() => this.takeOffer(from, sdp, peer));
  }

  answer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string> {
    return this.inTurn(() => this.takeAnswer(from, sdp, peer));
  }

  async stats(): Promise<MediaStreamStats[]> {
    const { place } = this;
    if (!place) return [];
    const entries = [...this.records].sort(([one], [other]) => one - other);
    return Promise.all(entries.map(([index, record]) => figuresOf(place, index, record)));
  }

  close(): Promise<MediaStreamStats[]> {
    if (this.closing) return this.closing;
    this.closing = this.tail.then(async () => {
      const last = await this.stats();
      const { place } = this;
      const deleted = place?.node.delete(place.relayCallId);
      // A silent relay gets its delete when it is back; nobody waits for that.
      if (place && !place.node.isShunned) await deleted;
      return last;
    });
    this.closing.finally(() => this.user.onClosed(this)).catch(() => undefined);
    return this.closing;
  }

  /** One at a time: an answer must not overtake its offer on the way to the relay. */
  private inTurn(work: () => Promise<string>): Promise<string> {
    if (this.closing) return Promise.reject(new MediaError('media session is closed'));
    const result = this.tail.then(work);
    this.tail = result.catch(() => undefined);
    return result;
  }

  private async takeOffer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string> {
    const offer = parseSdp(sdp);
    const live = offer.streams.filter((stream) => stream.port !== 0);
    if (live.length > 0 && !live.some(isRelayable))
      throw new BadSdpError('nothing in the offer can be relayed');
    const { place, targets } = await this.allocate(from, offer, peer);
    const former = this.place;
    this.place = place;
    if (former && former.node !== place.node)
      void former.node.delete(former.relayCallId).then(() => this.user.onLeft(former.node));
    this.exchange = { offerer: from, offer };
    this.notePorts(from, offer, targets);
    for (const stream of offer.streams) {
      if (targets[stream.index] !== 'reject') this.record(stream);
    }
    return this.write(from, offer, targets);
  }

  /** Has each relay make the streams until one can. A relay that is alive and refuses keeps the call it has. */
  private async allocate(
    from: MediaSide,
    offer: SessionDescription,
    peer: MediaPeer,
  ): Promise<{ place: Place; targets: Targets }> {
    let failure: unknown;
    for (const node of this.user.chooseNodes(this.place?.node)) {
      const isCurrent = node === this.place?.node;
      const place = isCurrent ? this.place! : { node, relayCallId: this.nextRelayCallId() };
      try {
        return { place, targets: await tellRelay(place, 'offer', from, offer.streams, peer) };
      } catch (error) {
        failure = error;
        if (isCurrent && error instanceof RelayRefusal) break;
        if (!isCurrent) void node.delete(place.relayCallId);
      }
    }
    throw failure instanceof MediaError
      ? failure
      : new MediaError(
          `no media relay ${failure === undefined ? 'is configured' : 'took the call'}`,
          {},
          failure,
        );
  }

  private nextRelayCallId(): string {
    const attempt = this.attempts++;
    return attempt === 0 ? this.id : `${this.id}.${attempt}`;
  }

  private async takeAnswer(from: MediaSide, sdp: string, peer: MediaPeer): Promise<string> {
    const { exchange, place } = this;
    const { signallingAddress } = peer;
    // The 200 repeats the answer of its 183 even when the answerer has made an offer (UPDATE) in between.
    const last = exchange?.offerer === from ? this.lastAnswers[from] : exchange?.answered;
    if (last?.sdp === sdp && last.signallingAddress === signallingAddress) return last.result;
    if (!exchange || !place || exchange.offerer === from) throw new BadSdpError('answer without an offer');
    const answer = parseSdp(sdp);
    checkAnswer(exchange.offer, answer);
    // RFC 3264 §6: a stream that was offered with port 0 stays at 0.
    const streams = answer.streams.map((stream) =>
      exchange.offer.streams[stream.index]!.port === 0 ? { ...stream, port: 0 } : stream,
    );
    const targets = await tellRelay(place, 'answer', exchange.offerer, streams, peer);
    this.notePorts(from, answer, targets);
    for (const stream of streams) {
      if (targets[stream.index] !== 'reject') this.record(stream, stream.codecs[0]);
    }
    const result = await this.write(from, answer, targets);
    exchange.answered = { sdp, signallingAddress, result };
    this.lastAnswers[from] = exchange.answered;
    return result;
  }

  private async write(from: MediaSide, description: SessionDescription, targets: Targets): Promise<string> {
    const live = targets.find((target) => target !== 'reject');
    const address = live?.address ?? (await this.place!.node.addressOf({ port: 0 }).catch(() => '127.0.0.1'));
    return this.writers[from === 'a' ? 'b' : 'a'].write(description, targets, address);
  }

  /** What the other side is told. */
  private notePorts(from: MediaSide, { streams }: SessionDescription, targets: Targets): void {
    const ports = this.ports[from === 'a' ? 'b' : 'a'];
    for (const { index } of streams) {
      const target = targets[index];
      if (target && target !== 'reject') ports.set(index, target.port);
      else ports.delete(index);
    }
  }

  private record(stream: MediaStream, codec?: string): void {
    const record = this.records.get(stream.index) ?? { kind: stream.kind };
    record.kind = stream.kind;
    if (codec !== undefined) record.codec = codec;
    this.records.set(stream.index, record);
  }
}

/** Tells the relay where a party listens, a command a live stream; gives the relay's ports for the other party. */
async function tellRelay(
  { node, relayCallId }: Place,
  verb: 'offer' | 'answer',
  offerer: MediaSide,
  streams: readonly MediaStream[],
  peer: MediaPeer,
  ownPorts?: ReadonlyMap<number, number>,
): Promise<Targets> {
  const settled = await Promise.allSettled(
    streams.map(async (stream): Promise<StreamTarget | 'reject'> => {
      if (stream.port === 0 || !isRelayable(stream)) return 'reject';
      // RFC 3264 §8.1: a stream that was added later gets ports like the others.
      const key = streamKey(relayCallId, offerer, stream.index);
      const party = expectedParty(stream, peer.signallingAddress);
      const port = await node.tell(verb, key, { ...party, ownPort: ownPorts?.get(stream.index) });
      return { address: await node.addressOf(port), port: port.port, rtcpPort: port.port + 1 };
    }),
  );
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

/** False when the relay says that it has no such stream. A relay that says nothing may still have it, and is not asked for each call. */
async function isKnownThere({ node, relayCallId }: Place, index: number): Promise<boolean> {
  if (node.isShunned) return true;
  try {
    await node.query(streamKey(relayCallId, 'a', index));
    return true;
  } catch (error) {
    return !(error instanceof RelayRefusal);
  }
}

async function figuresOf(place: Place, index: number, record: StreamRecord): Promise<MediaStreamStats> {
  try {
    record.figures = await place.node.query(streamKey(place.relayCallId, 'a', index));
  } catch {
    // What was known before the relay fell silent or dropped the stream still holds.
  }
  const { kind, codec, figures } = record;
  return {
    index,
    kind,
    relay: place.node.name,
    ...(codec !== undefined && { codec }),
    ...(figures && {
      packetsFromA: figures.packetsFromFrom,
      packetsFromB: figures.packetsFromTo,
      dropped: figures.dropped,
      ...(figures.bytesFromFrom !== undefined && { bytesFromA: figures.bytesFromFrom }),
      ...(figures.bytesFromTo !== undefined && { bytesFromB: figures.bytesFromTo }),
      ...(figures.addressFrom !== undefined && { addressA: figures.addressFrom }),
      ...(figures.addressTo !== undefined && { addressB: figures.addressTo }),
    }),
  };
}

/** RTPProxy carries datagrams: RTP, T.38, DTLS. A TCP connection (MSRP, T.38 over TCP) it cannot carry. */
function isRelayable(stream: MediaStream): boolean {
  return stream.transport !== 'connection';
}
