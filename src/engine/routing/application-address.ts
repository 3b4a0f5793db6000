/** Where an application waits for connections of the engine. */
export interface ApplicationAddress {
  /** Name or IP literal, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Over TLS. */
  readonly secure: boolean;
}

/** drachtio-srf's usual port for them. */
const DEFAULT_PORT = 9021;
const PATTERN = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::(\d{1,5}))?(?:;transport=(tcp|tls))?$/i;

/** Reads `host[:port][;transport=tcp|tls]`; undefined when it is something else. */
export function parseApplicationAddress(text: string): ApplicationAddress | undefined {
  const parts = PATTERN.exec(text);
  const port = Number(parts?.[3] ?? DEFAULT_PORT);
  if (!parts || port < 1 || port > 65_535) return undefined;
  return { host: (parts[1] ?? parts[2])!, port, secure: parts[4]?.toLowerCase() === 'tls' };
}

/** The same for a URL `tcp://host:port` or `tls://host:port`; undefined for other schemes. */
export function parseApplicationUrl(url: string): ApplicationAddress | undefined {
  const parts = /^(tcp|tls):\/\/([^/;]+)\/?$/i.exec(url);
  return parts ? parseApplicationAddress(`${parts[2]};transport=${parts[1]}`) : undefined;
}
