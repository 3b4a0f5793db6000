import { createRequire } from 'node:module';

/** drachtio-srf as the tests use it: its own declarations are wrong in places, so little is promised here. */
// biome-ignore lint/suspicious/noExplicitAny: an untyped package, driven in many ways by tests.
export type Srf = any;

const require = createRequire(import.meta.url);
const SrfClass = require('drachtio-srf');

export interface AppTarget {
  readonly host?: string;
  readonly port: number;
  readonly secret: string;
  /** For tls.connect, when the port speaks TLS. */
  readonly tls?: object;
}

const connected = new Set<Srf>();
const listening = new Set<{ close(): void }>();

/** Disconnects every application that a test left connected; for `afterEach`. */
export function disconnectApps(): void {
  for (const srf of connected) {
    try {
      srf.disconnect();
    } catch {
      // Gone already.
    }
  }
  connected.clear();
  for (const server of listening) server.close();
  listening.clear();
}

/** An application that waits for connections of an engine on a port of 127.0.0.1. */
export function listeningApp(port: number, secret: string): Promise<Srf> {
  const srf = new SrfClass();
  return new Promise((resolve) => {
    srf.on('listening', () => resolve(srf));
    listening.add(srf.listen({ host: '127.0.0.1', port, secret }));
  });
}

/** An application connected to an engine: resolves when it is authenticated, rejects when it is refused. */
export function connectApp(target: AppTarget, tags: readonly string[] = []): Promise<Srf> {
  const srf = new SrfClass([...tags]);
  connected.add(srf);
  return new Promise((resolve, reject) => {
    srf.on('connect', (error: unknown) => (error ? reject(error) : resolve(srf)));
    srf.on('error', reject);
    srf.connect({ host: '127.0.0.1', ...target });
  });
}

/**
 * The smallest back-to-back user agent: each call goes on to `target` (`host:port`) with the caller's headers and SDP;
 * either side's BYE ends the other. `failures` collects what went wrong but busy and the like.
 */
export async function startB2buaApp(
  engine: AppTarget,
  target: string,
): Promise<{ srf: Srf; failures: unknown[]; close(): void }> {
  const srf = await connectApp(engine);
  const failures: unknown[] = [];
  srf.invite(async (req: Srf, res: Srf) => {
    try {
      const { uas, uac } = await srf.createB2BUA(req, res, `sip:service@${target}`, { localSdpB: req.body });
      uas.on('destroy', () => uac.destroy());
      uac.on('destroy', () => uas.destroy());
    } catch (error) {
      if ((error as { status?: number }).status === undefined) failures.push(error);
    }
  });
  return { srf, failures, close: () => srf.disconnect() };
}
