import { createRequest, type SrfRequest } from './srf-types.js';

/** Where a request came from. */
interface Origin {
  readonly address: string;
  readonly port: number;
  readonly protocol: string;
}

/** A request as srf would hand it over, made of what was kept of one. Nothing can be sent in answer to it. */
export function requestFromParts(
  method: string,
  uri: string,
  headers: Readonly<Record<string, string>>,
  origin: Origin,
): SrfRequest {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  // One field a line, whatever was kept: RFC 3261 §7.3.1.
  const clean = [`${method} ${uri} SIP/2.0`, ...lines].map((line) => line.replace(/[\r\n]+/g, ' '));
  return createRequest(`${clean.join('\r\n')}\r\n\r\n`, origin);
}
