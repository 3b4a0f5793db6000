import type { Socket } from 'node:net';
import { sourceKey } from './source-key.js';
import type { ListenerContext } from './types.js';

/** Between two log lines, whatever the number of sources. Milliseconds. */
const WARN_INTERVAL_MS = 60_000;

/**
 * Accepted sockets from the first packet on: how many one source holds, and which are still in the handshakes that
 * come before SIP (TLS, WebSocket). Trusted sources may hold any number: a proxy of ours brings everyone's.
 */
export class ConnectionQuota {
  private readonly bySource = new Map<string, number>();
  private readonly pending = new Map<string, { readonly socket: Socket; readonly sinceMs: number }>();

  private warnedMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly context: ListenerContext) {}

  /** Sockets whose handshakes are not done. */
  get pendingCount(): number {
    return this.pending.size;
  }

  /** Counts a socket until it closes; false when its source has too many. */
  admit(socket: Socket, address: string, port: number): boolean {
    const nowMs = this.context.clock.monotonic();
    const source = sourceKey(address);
    const count = this.bySource.get(source) ?? 0;
    const { maxConnectionsPerSource } = this.context.limits;
    const isLimited = maxConnectionsPerSource > 0 && this.context.admission?.isTrusted(address) !== true;
    if (isLimited && count >= maxConnectionsPerSource) {
      this.context.counters.connectionsRefusedBySource++;
      this.warn(source, count, nowMs);
      return false;
    }
    this.bySource.set(source, count + 1);
    const key = pendingKey(address, port);
    this.pending.set(key, { socket, sinceMs: nowMs });
    socket.once('close', () => {
      this.release(source);
      if (this.pending.get(key)?.socket === socket) this.pending.delete(key);
    });
    return true;
  }

  /** Its handshakes are done: it carries SIP, whose own bounds count from now on. */
  settle(address: string, port: number): void {
    this.pending.delete(pendingKey(address, port));
  }

  /** Ends handshakes that take too long, whatever they wait for. */
  sweep(nowMs: number): void {
    for (const { socket, sinceMs } of this.pending.values()) {
      // In the order in which they came.
      if (nowMs - sinceMs < this.context.limits.handshakeTimeoutMs) return;
      this.context.counters.handshakeTimeouts++;
      socket.destroy();
    }
  }

  close(): void {
    for (const { socket } of [...this.pending.values()]) socket.destroy();
  }

  /** Now and then: a flood must not fill the log. */
  private warn(source: string, count: number, nowMs: number): void {
    if (nowMs - this.warnedMs < WARN_INTERVAL_MS) return;
    this.warnedMs = nowMs;
    this.context.log.warn({ source, count }, 'a source has too many connections; more are refused');
  }

  private release(source: string): void {
    const left = (this.bySource.get(source) ?? 1) - 1;
    if (left > 0) this.bySource.set(source, left);
    else this.bySource.delete(source);
  }
}

function pendingKey(address: string, port: number): string {
  return `${address} ${port}`;
}
