import type { FlowId } from '../types.js';
import type { Connection } from './connection.js';

/** Names and ports that one peer may have its connection found under. */
const MAX_ALIASES = 8;

/**
 * The open connections of a listener, by flow and by the peer's address and port (RFC 5923 §5). A connection whose peer
 * proved a name serves requests for that name alone (RFC 5922 §7.3).
 */
export class ConnectionTable {
  private readonly byFlow = new Map<FlowId, Connection>();
  private readonly byPeer = new Map<string, Connection>();

  get size(): number {
    return this.byFlow.size;
  }

  values(): IterableIterator<Connection> {
    return this.byFlow.values();
  }

  add(connection: Connection): void {
    this.byFlow.set(connection.flow, connection);
    for (const key of connection.peerKeys) this.byPeer.set(key, connection);
  }

  /** The connection serves requests to that port of its peer too (RFC 5923 §7.2). */
  alias(connection: Connection, port: number, name: string | undefined): void {
    const key = peerKey(connection.source.address, port, name);
    if (!connection.isUsable || connection.peerKeys.length > MAX_ALIASES) return;
    if (!connection.peerKeys.includes(key)) connection.peerKeys.push(key);
    this.byPeer.set(key, connection);
  }

  remove(connection: Connection): void {
    this.byFlow.delete(connection.flow);
    for (const key of connection.peerKeys) if (this.byPeer.get(key) === connection) this.byPeer.delete(key);
  }

  /** The usable connection of that flow, else undefined. */
  flow(flow: FlowId | undefined): Connection | undefined {
    const connection = flow === undefined ? undefined : this.byFlow.get(flow);
    return connection?.isUsable ? connection : undefined;
  }

  /** A usable connection with that peer, whoever opened it; with `isOurs` only one that we opened. */
  peer(address: string, port: number, name: string | undefined, isOurs = false): Connection | undefined {
    const connection = this.byPeer.get(peerKey(address, port, name));
    return connection?.isUsable && (connection.isOutbound || !isOurs) ? connection : undefined;
  }
}

/** What a connection is found under besides its flow. */
export function peerKey(address: string, port: number, name: string | undefined): string {
  return name === undefined ? `${address} ${port}` : `${address} ${port} ${name.toLowerCase()}`;
}
