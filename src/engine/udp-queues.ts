import { readFile } from 'node:fs/promises';
import type { Clock, TimerHandle } from '../platform/clock.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';

/** Linux tells of its UDP sockets here; elsewhere nothing is known. */
const TABLES = ['/proc/net/udp', '/proc/net/udp6'];
const LOOK_MS = 5_000;

/** What is told of it in EngineStats; all 0 where the kernel does not tell. */
export interface UdpQueueStats {
  /** Bytes that wait in the kernel for the engine to read them, at the last look. */
  readonly queuedBytes: number;
  /** Datagrams that the kernel dropped since start because the engine did not read in time. */
  readonly dropped: number;
}

/** One socket of the kernel's table. */
export interface UdpSocketRow {
  readonly inode: string;
  readonly queuedBytes: number;
  readonly dropped: number;
}

/** The rows of the sockets that are bound to one of `ports`. */
export function parseUdpTable(text: string, ports: ReadonlySet<number>): UdpSocketRow[] {
  const rows: UdpSocketRow[] = [];
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , , queues = '', , , , , inode = ''] = fields;
    if (!ports.has(Number.parseInt(local.split(':')[1] ?? '', 16))) continue;
    const queuedBytes = Number.parseInt(queues.split(':')[1] ?? '', 16);
    rows.push({ inode, queuedBytes: queuedBytes || 0, dropped: Number(fields.at(-1)) || 0 });
  }
  return rows;
}

/** Looks now and then at what the kernel holds for our UDP ports, and tells the log when it had to drop some. */
export class UdpQueues implements Closeable {
  private last: UdpQueueStats = { queuedBytes: 0, dropped: 0 };
  private droppedBySocket = new Map<string, number>();
  private timer: TimerHandle | undefined;
  private isClosed = false;

  constructor(
    private readonly ports: ReadonlySet<number>,
    private readonly clock: Clock,
    private readonly log: Logger,
  ) {
    if (ports.size > 0 && process.platform === 'linux') this.schedule();
  }

  stats(): UdpQueueStats {
    return this.last;
  }

  /** Looks now; never rejects. */
  async look(): Promise<void> {
    const texts = await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => '')));
    this.take(texts.flatMap((text) => parseUdpTable(text, this.ports)));
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.clock.clearTimeout(this.timer);
    return Promise.resolve();
  }

  private schedule(): void {
    this.timer = this.clock.setTimeout(() => {
      void this.look().then(() => {
        if (!this.isClosed) this.schedule();
      });
    }, LOOK_MS);
  }

  /** Sockets come and go: each one's count is followed on its own. */
  private take(rows: readonly UdpSocketRow[]): void {
    let dropped = 0;
    for (const row of rows) dropped += Math.max(row.dropped - (this.droppedBySocket.get(row.inode) ?? 0), 0);
    this.droppedBySocket = new Map(rows.map((row) => [row.inode, row.dropped]));
    const queuedBytes = rows.reduce((sum, row) => sum + row.queuedBytes, 0);
    this.last = { queuedBytes, dropped: this.last.dropped + dropped };
    if (dropped > 0)
      this.log.warn(
        { dropped, ofAll: this.last.dropped },
        'the kernel dropped UDP messages that could not be read in time; net.core.rmem_max may be too small',
      );
  }
}
