import { type EngineOptions, type EngineStats, startEngine } from '../../src/engine/engine.js';
import { parseEngineUrl } from '../../src/signalling/engine-url.js';
import { FrameClient } from './frame-client.js';

/** An engine under test: ours, or the one that DRACHTIO_URL names. */
export interface WireEngine {
  readonly target: { readonly host: string; readonly port: number; readonly secret: string };
  readonly udpPort: number;
  readonly tcpPort: number;
  /** 0 without a WebSocket listener. */
  readonly wsPort: number;
  /** Ours alone, and with TLS on the admin port. */
  readonly adminTlsPort?: number | undefined;
  /** Of the first UDP listener on IPv6; 0 without one. */
  readonly udp6Port: number;
  /** Ours alone. */
  stats(): EngineStats;
  /** Ours alone. */
  reload(): boolean;
  close(): Promise<void>;
}

/** Set when the tests run against another engine: those that need our timers or our improvements are skipped. */
export const otherEngine = process.env['DRACHTIO_URL'];
export const oursOnly = otherEngine === undefined ? false : 'shows what the built-in engine does';

const LOOPBACK = [
  { protocol: 'udp', address: '127.0.0.1', port: 0 },
  { protocol: 'tcp', address: '127.0.0.1', port: 0 },
] as const;

export async function startWireEngine(options: Partial<EngineOptions> = {}): Promise<WireEngine> {
  if (otherEngine !== undefined) return connectOther(otherEngine);
  const engine = await startEngine({ sipListen: LOOPBACK, admin: { port: 0, secret: 'cymru' }, ...options });
  const port = (protocol: string): number =>
    engine.listeners.find((listener) => listener.protocol === protocol)?.port ?? 0;
  return {
    target: { host: '127.0.0.1', port: engine.adminPort, secret: options.admin?.secret ?? 'cymru' },
    udpPort: port('udp'),
    tcpPort: port('tcp'),
    wsPort: port('ws'),
    adminTlsPort: engine.adminTlsPort,
    udp6Port: engine.listeners.find(({ protocol, family }) => protocol === 'udp' && family === 6)?.port ?? 0,
    stats: () => engine.stats(),
    reload: () => engine.reload(),
    close: () => engine.close(),
  };
}

async function connectOther(url: string): Promise<WireEngine> {
  const target = parseEngineUrl(url);
  const client = await FrameClient.open(target.port, target.host);
  const answer = await client.ask(`authenticate|${target.secret}|`);
  await client.close();
  const port = (protocol: string): number =>
    Number(new RegExp(`${protocol}/127\\.0\\.0\\.1:(\\d+)`).exec(answer.fields[6] ?? '')?.[1] ?? 0);
  return {
    target,
    udpPort: port('udp'),
    tcpPort: port('tcp'),
    wsPort: port('ws'),
    udp6Port: 0,
    stats: () => {
      throw new Error('another engine tells no counts');
    },
    reload: () => false,
    close: () => Promise.resolve(),
  };
}
