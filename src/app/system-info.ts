import { availableParallelism, totalmem } from 'node:os';
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { Closeable } from '../platform/lifecycle.js';

const NS_PER_MS = 1e6;

export interface LoadFigures {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly cpuShare: number;
  readonly loopDelayMs: number;
  readonly cpuCores: number;
  readonly memoryBytes: number;
  readonly heapLimitBytes: number;
}

/** Watches what the process costs; figures cover the time since the last look. */
export class LoadMeter implements Closeable {
  private readonly loopDelay: IntervalHistogram = monitorEventLoopDelay({ resolution: 20 });
  private lastCpu = process.cpuUsage();
  private lastLook = performance.now();

  constructor() {
    this.loopDelay.enable();
  }

  look(): LoadFigures {
    const cpu = process.cpuUsage(this.lastCpu);
    const now = performance.now();
    const { rss, heapUsed } = process.memoryUsage();
    const figures = {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      cpuShare: (cpu.user + cpu.system) / 1000 / Math.max(now - this.lastLook, 1),
      loopDelayMs: this.loopDelay.percentile(99) / NS_PER_MS,
      cpuCores: availableParallelism(),
      memoryBytes: totalmem(),
      heapLimitBytes: getHeapStatistics().heap_size_limit,
    };
    this.lastCpu = process.cpuUsage();
    this.lastLook = now;
    this.loopDelay.reset();
    return figures;
  }

  close(): Promise<void> {
    this.loopDelay.disable();
    return Promise.resolve();
  }
}
