import { readdirSync } from 'node:fs';
import type { AudioHost } from '../audio/types.js';
import type { CallService } from '../call/types.js';
import type { RecordService } from '../cdr/types.js';
import type { MediaRelay } from '../media/types.js';
import type { Figure } from '../mml/services.js';
import type { ConnectedEngine } from './engine.js';

/** The parts that count. */
export interface CountingParts {
  readonly engine: ConnectedEngine;
  readonly relay: MediaRelay;
  readonly audio: AudioHost;
  readonly calls: CallService;
  readonly records: RecordService;
}

/** Names by dots, numbers at the leaves. */
type Counts = { readonly [name: string]: number | Counts };

/** Asks every part for its counts. One that does not answer, or is elsewhere, is left out. */
export async function gatherFigures({
  engine,
  relay,
  audio,
  calls,
  records,
}: CountingParts): Promise<Figure[]> {
  const [engineCounts, relayCounts, audioCounts] = await Promise.all([
    engine.stats?.().catch(() => undefined),
    relay.figures?.().catch(() => undefined),
    audio.stats().catch(() => undefined),
  ]);
  const { waiting, open } = records.backlog();
  return [
    ...flat('calls', { ...calls.count() }),
    ...flat('records', { open, waiting }),
    ...flat('signalling', engine.connection.waiting()),
    ...flat('engine', (engineCounts ?? {}) as unknown as Counts),
    ...flat('relay', relayCounts ?? {}),
    ...flat('audio', { ...audioCounts }),
    ...flat('process', processCounts()),
  ];
}

function flat(part: string, counts: Counts, prefix = ''): Figure[] {
  return Object.entries(counts).flatMap(([key, value]) =>
    typeof value === 'number' ? [{ part, name: prefix + key, value }] : flat(part, value, `${prefix}${key}.`),
  );
}

/** Open files and sockets, where the system tells (Linux), and what holds the process up. */
function processCounts(): Counts {
  const counts = { resources: process.getActiveResourcesInfo().length };
  try {
    return { ...counts, openFiles: readdirSync('/proc/self/fd').length };
  } catch {
    return counts;
  }
}
