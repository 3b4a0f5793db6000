import { connectApp, type Srf } from './b2bua-app.js';
import type { TextPeer } from './text-peer.js';
import type { WireEngine } from './wire-engine.js';

/** An application that proxies every request of one method. */
export interface ProxyApp {
  readonly srf: Srf;
  /** What srf says became of each request, in the order they came. */
  readonly results: Promise<Srf>[];
  /** What srf says became of the first. */
  readonly first: Promise<Srf>;
}

export interface ProxyAppOptions {
  readonly method?: string;
  /** Options of `srf.proxyRequest`. */
  readonly proxy?: object;
}

/** Starts such an application; ready when this resolves. */
export async function startProxyApp(
  engine: WireEngine,
  targets: readonly (TextPeer | string)[],
  { method = 'invite', proxy = {} }: ProxyAppOptions = {},
): Promise<ProxyApp> {
  const srf = await connectApp(engine.target);
  const destinations = targets.map((target) =>
    typeof target === 'string' ? target : `sip:127.0.0.1:${target.port}`,
  );
  const results: Promise<Srf>[] = [];
  const first = new Promise<Srf>((resolve, reject) => {
    srf[method]((req: Srf) => {
      const result = srf.proxyRequest(req, [...destinations], { ...proxy });
      results.push(result);
      result.then(resolve, reject);
    });
  });
  first.catch(() => {});
  await untilRouted(srf, engine);
  return { srf, results, first };
}

/** Resolves when the engine has taken the routes that `srf` sent: it answers in order. */
export function untilRouted(srf: Srf, engine: WireEngine): Promise<void> {
  return new Promise((resolve) =>
    srf.request(`sip:127.0.0.1:${engine.udpPort}`, { method: 'OPTIONS' }, () => resolve()),
  );
}
