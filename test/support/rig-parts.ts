import type { CallRecord, OpenRecord, RecordService } from '../../src/cdr/types.js';
import { type Engine, startEngine } from '../../src/engine/engine.js';
import type { TimerSettings } from '../../src/engine/types.js';
import { createMediaRelay } from '../../src/media/create.js';
import type { MediaRelay } from '../../src/media/types.js';
import { type Clock, systemClock } from '../../src/platform/clock.js';
import type { Logger } from '../../src/platform/logger.js';
import { connectEngine, type SignallingConnection } from '../../src/signalling/connection.js';
import { parseEngineUrl } from '../../src/signalling/engine-url.js';
import { type CoalescingProxy, openCoalescingProxy } from './coalescing-proxy.js';
import { freePorts } from './free-ports.js';

const SECRET = 'rig-secret';
/** Of the relay, four for each call with audio. */
const RELAY_PORTS = 300;

/** Timers of the built-in engine, and its time. */
export interface EngineChoice {
  readonly timers?: Partial<TimerSettings>;
  readonly engineClock?: Clock;
  /** What the engine says arrives in pieces so far apart, milliseconds, as from a busy one; TEST_COALESCE_MS does so for every rig. */
  readonly coalesceMs?: number;
}

/** The engine of the rig, connected: one of its own, or the one that SIP_ENGINE names. The caller closes both. */
export async function openEngine(
  options: EngineChoice,
  log: Logger,
): Promise<{ engine: Engine | undefined; connection: SignallingConnection }> {
  const url = process.env['SIP_ENGINE'] ?? 'embedded';
  if (url !== 'embedded') {
    const { host, port, secret } = parseEngineUrl(url);
    return { engine: undefined, connection: await connectEngine({ host, port, secret, log }) };
  }
  const engine = await startEngine({
    sipListen: [
      { protocol: 'udp', address: '127.0.0.1', port: 0 },
      { protocol: 'tcp', address: '127.0.0.1', port: 0 },
    ],
    admin: { port: 0, secret: SECRET },
    log,
    ...(options.timers && { timers: options.timers }),
    ...(options.engineClock && { clock: options.engineClock }),
  });
  const coalesceMs = options.coalesceMs ?? Number(process.env['TEST_COALESCE_MS'] ?? 0);
  const proxy = coalesceMs > 0 ? await openCoalescingProxy(engine.adminPort, coalesceMs) : undefined;
  const port = proxy?.port ?? engine.adminPort;
  const connection = await connectEngine({ host: '127.0.0.1', port, secret: SECRET, log });
  return { engine: proxy ? withProxy(engine, proxy) : engine, connection };
}

/** The engine, with a proxy that is closed when it is. */
function withProxy(engine: Engine, proxy: CoalescingProxy): Engine {
  return new Proxy(engine, {
    get: (target, name) => {
      const value = Reflect.get(target, name) as unknown;
      if (name === 'close') return () => Promise.all([target.close(), proxy.close()]);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The built-in relay, or the one that MEDIA_RELAY names. */
export async function openRelay(log: Logger): Promise<MediaRelay> {
  return createMediaRelay(process.env['MEDIA_RELAY'] ?? 'embedded', {
    clock: systemClock,
    log,
    address: '127.0.0.1',
    bindAddress: '127.0.0.1',
    rtpPorts: await freePorts(RELAY_PORTS),
  });
}

/** Records that are noted when they are closed, with their timelines for ladders. */
export function watchRecords(records: Pick<RecordService, 'begin'>) {
  const closed: CallRecord[] = [];
  const timelines: OpenRecord['timeline'][] = [];
  const begin: RecordService['begin'] = (type) => {
    const open = records.begin(type);
    let isClosed = false;
    return {
      id: open.id,
      get timeline() {
        return open.timeline;
      },
      add: (event) => open.add(event),
      keep: (state) => open.keep(state),
      finish: () => {
        const record = open.finish();
        if (!isClosed) {
          closed.push(record);
          timelines.push(open.timeline);
        }
        isClosed = true;
        return record;
      },
    };
  };
  return { closed, timelines, service: { begin } as RecordService };
}
