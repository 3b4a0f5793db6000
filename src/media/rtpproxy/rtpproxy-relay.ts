import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import type { SavedMedia } from '../saved-media.js';
import {
  type MediaAgreement,
  MediaError,
  type MediaRelay,
  type MediaSession,
  type RelayControl,
  type RelayHealth,
  type RelayState,
  type RelayUse,
} from '../types.js';
import { RelayNode } from './relay-node.js';
import { RelayNodes } from './relay-nodes.js';
import { RtpProxySession } from './relay-session.js';
import { describeRelayUrl, parseRelayUrl } from './relay-url.js';

export interface RtpProxyRelayOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Told to phones when a relay on this machine names no address of its own. */
  readonly address?: string;
  /** Shown instead of the URL, in the order of the URLs. These are this server's own: another URL after a start is the same relay. */
  readonly names?: readonly string[];
}

/** How relays are used unless an operator says otherwise. */
const IN_USE: RelayUse = { weight: 1, active: true };

/**
 * Media through one RTPProxy or several. New calls go round those that answer; a call stays on its relay while that
 * lives. Nothing is sent before the first call. The caller closes it. Throws AppError BAD_RELAY_URL.
 */
export function createRtpProxyRelay(urls: readonly string[], options: RtpProxyRelayOptions): MediaRelay {
  const relay = new RtpProxyRelay(options);
  for (const [index, url] of urls.entries()) relay.add(options.names?.[index] ?? url, url, IN_USE);
  return relay;
}

class RtpProxyRelay implements MediaRelay, RelayControl {
  private readonly nodes: RelayNodes;
  private readonly sessions = new Set<RtpProxySession>();

  constructor(private readonly options: RtpProxyRelayOptions) {
    this.nodes = new RelayNodes(options.log);
  }

  get control(): RelayControl {
    return this;
  }

  open(id: string): MediaSession {
    const session = new RtpProxySession(id, this.user());
    this.sessions.add(session);
    return session;
  }

  async resume(id: string, saved: SavedMedia, agreed: MediaAgreement): Promise<MediaSession> {
    // Phones were told the address of the relay that they had; the same ports at another would be silence.
    const url = this.options.names?.includes(saved.relay) ? undefined : saved.url;
    const node = this.nodes.find(saved.relay, url);
    if (!node) throw new MediaError('the media relay of the call is not configured any more');
    const session = new RtpProxySession(id, this.user(), { node, saved });
    this.sessions.add(session);
    try {
      await session.resume(saved, agreed);
    } catch (error) {
      this.onClosed(session);
      throw error;
    }
    return session;
  }

  health(): Promise<RelayHealth[]> {
    return Promise.all(this.nodes.list().map(({ node }) => node.health()));
  }

  states(): Promise<RelayState[]> {
    return Promise.all(
      this.nodes.list().map(async ({ node, ...use }) => ({
        ...use,
        calls: this.calls(node.name),
        ...(await node.health()),
      })),
    );
  }

  list(): (RelayUse & { name: string; url: string })[] {
    return this.nodes.list().map(({ node, ...use }) => ({ name: node.name, url: node.controlUrl, ...use }));
  }

  add(name: string, url: string, use: RelayUse): void {
    const { address, clock } = this.options;
    const at = { ...parseRelayUrl(url), name };
    // One that is on its way out has calls, deletes that it is owed, and a health that is known.
    const former = this.nodes.find(name, describeRelayUrl(at));
    this.nodes.add(former ?? new RelayNode(at, address, clock), use);
  }

  use(name: string, use: RelayUse): void {
    this.nodes.use(name, use);
  }

  async remove(name: string): Promise<void> {
    await this.nodes.remove(name, (node) => this.callsOf(node));
  }

  calls(name: string): number {
    let count = 0;
    for (const { node } of this.sessions) if (node?.name === name) count++;
    return count;
  }

  close(): Promise<void> {
    return this.nodes.close();
  }

  private callsOf(node: RelayNode): number {
    let count = 0;
    for (const session of this.sessions) if (session.node === node) count++;
    return count;
  }

  private user() {
    return {
      chooseNodes: (current: RelayNode | undefined) => this.nodes.choose(current),
      onClosed: (session: RtpProxySession) => this.onClosed(session),
      onLeft: (node: RelayNode) => this.onLeft(node),
    };
  }

  private onClosed(session: RtpProxySession): void {
    this.sessions.delete(session);
    if (session.node) this.onLeft(session.node);
  }

  /** A call has gone from this relay: it has ended, or moved to another. */
  private onLeft(node: RelayNode): void {
    if (this.nodes.isLeaving(node) && this.callsOf(node) === 0) this.nodes.left(node);
  }
}
