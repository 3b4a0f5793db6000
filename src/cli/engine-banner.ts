import { bracket } from '../config/describe.js';
import type { Engine, EngineOptions } from '../engine/engine.js';
import { packageVersion } from '../platform/version.js';

/** What a person wants to know of an engine that has just started. `secret` as it may be shown. */
export function engineBanner(engine: Engine, options: EngineOptions, secret: string): string {
  const { admin, requestHandlers = [] } = options;
  const host = bracket(admin.host ?? '127.0.0.1');
  const listeners = engine.listeners.map(
    ({ protocol, address, port }) => `${protocol}:${bracket(address)}:${port}`,
  );
  const tls =
    engine.adminTlsPort === undefined
      ? ''
      : `   TLS ${bracket(admin.tls?.host ?? admin.host ?? '')}:${engine.adminTlsPort}`;
  const handlers = requestHandlers.map(
    ({ method, url }) => `${method === '*' ? 'others' : method} ${shown(url)}`,
  );
  const extras = extrasOf(options);
  return `SIP engine: ${listeners.join('  ')}
Applications: drachtio://:${secret}@${host}:${engine.adminPort}${tls}
${handlers.length > 0 ? `New requests: ${handlers.join('   ')}\n` : ''}${extras.length > 0 ? `On: ${extras.join(', ')}\n` : ''}ims-b2bua ${packageVersion()}; ims engine --help tells what it can do
`;
}

function extrasOf(options: EngineOptions): string[] {
  const { screen, advertised } = options;
  const spam = Object.values(screen?.spam ?? {}).flat().length;
  const all: readonly (readonly [unknown, string])[] = [
    [advertised, `peers are told ${advertised?.address}`],
    [options.alwaysSend180, '180 to every INVITE'],
    [spam, `spam filter (${spam})`],
    [screen?.optionsAutoRespond?.length, 'OPTIONS answered by User-Agent'],
    [screen?.registerNeedsDomain, 'REGISTER needs a domain'],
    [options.blockedSources?.length, `blocked sources (${options.blockedSources?.length})`],
    [options.detectNat === false, 'no NAT detection'],
  ];
  return all.filter(([isOn]) => Boolean(isOn)).map(([, text]) => text);
}

/** Without user, password and query: they may be secrets. */
function shown(url: string): string {
  return url.replace(/^([a-z]+:\/\/)[^/@]*@/i, '$1').replace(/\?.*$/s, '');
}
