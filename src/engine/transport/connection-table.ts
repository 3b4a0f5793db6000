import type { FlowId } from '../types.js';
import type { Connection } from './connection.js';

/** The open connections of a listener, by flow and by the peer's address and port (RFC 5923 §5). */
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
    this.byPeer.set(peerKey(connection.source.address, connection.source.port), connection);
  }

  remove(connection: Connection): void {
    this.byFlow.delete(connection.flow);
    const key = peerKey(connection.source.address, connection.source.port);
    if (this.byPeer.get(key) === connection) this.byPeer.delete(key);
  }

  /** The usable connection of that flow, else undefined. */
  flow(flow: FlowId | undefined): Connection | undefined {
    const connection = flow === undefined ? undefined : this.byFlow.get(flow);
    return connection?.isUsable ? connection : undefined;
  }

  /** A usable connection with that peer, whoever opened it. */
  peer(address: string, port: number): Connection | undefined {
    const connection = this.byPeer.get(peerKey(address, port));
    return connection?.isUsable ? connection : undefined;
  }
}

function peerKey(address: string, port: number): string {
  return `${address} ${port}`;
}
