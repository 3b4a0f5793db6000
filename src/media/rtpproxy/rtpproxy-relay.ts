import type { Clock } from '../../platform/clock.js';
import type { Logger } from '../../platform/logger.js';
import type { SavedMedia } from '../saved-media.js';
import {
  type MediaAgreement,
  MediaError,
  type MediaRelay,
  type MediaSession,
  type RelayHealth,
} from '../types.js';
import { RelayNode } from './relay-node.js';
import { RtpProxySession } from './relay-session.js';
import { parseRelayUrl } from './relay-url.js';

export interface RtpProxyRelayOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Told to phones when a relay on this machine names no address of its own. */
  readonly address?: string;
  /** Shown instead of the URL, in the order of the URLs. */
  readonly names?: readonly string[];
}

/**
 * Media through one RTPProxy or several. New calls go round those that answer; a call stays on its relay while that
 * lives. Nothing is sent before the first call. The caller closes it. Throws AppError BAD_RELAY_URL.
 */
export function createRtpProxyRelay(urls: readonly string[], options: RtpProxyRelayOptions): MediaRelay {
  const nodes = urls.map((url, index) => {
    const parsed = parseRelayUrl(url);
    return new RelayNode({ ...parsed, name: options.names?.[index] ?? url }, options.address, options.clock);
  });
  return new RtpProxyRelay(nodes, options.log);
}

class RtpProxyRelay implements MediaRelay {
  private turn = 0;

  constructor(
    private readonly nodes: readonly RelayNode[],
    private readonly log: Logger,
  ) {}

  open(id: string): MediaSession {
    return new RtpProxySession(id, (current) => this.choose(current));
  }

  async resume(id: string, saved: SavedMedia, agreed: MediaAgreement): Promise<MediaSession> {
    const node = this.nodes.find(({ name }) => name === saved.relay);
    if (!node) throw new MediaError('the media relay of the call is not configured any more');
    const session = new RtpProxySession(id, (current) => this.choose(current), { node, saved });
    await session.resume(saved, agreed);
    return session;
  }

  health(): Promise<RelayHealth[]> {
    return Promise.all(this.nodes.map((node) => node.health()));
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.close()));
  }

  /** The call's own relay first; then the others in turn, those that failed lately at the end. */
  private choose(current: RelayNode | undefined): RelayNode[] {
    if (current && this.nodes.length === 1) return [current];
    const start = this.turn++ % Math.max(1, this.nodes.length);
    const others = [...this.nodes.slice(start), ...this.nodes.slice(0, start)].filter(
      (node) => node !== current,
    );
    const shunned = others.filter((node) => node.isShunned);
    if (shunned.length > 0)
      this.log.debug({ relays: shunned.map((node) => node.name) }, 'media relays tried last');
    return [...(current ? [current] : []), ...others.filter((node) => !node.isShunned), ...shunned];
  }
}
