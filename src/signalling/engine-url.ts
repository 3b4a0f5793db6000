import { SignallingError } from './errors.js';

/** Where an engine is and how to get in. */
export interface EngineAddress {
  readonly host: string;
  /** 1..65535, default 9022. */
  readonly port: number;
  /** Shared secret; never logged. */
  readonly secret: string;
  readonly tls: boolean;
}

const DEFAULT_PORT = 9022;

/**
 * Reads `drachtio://:secret@host[:port]`, or `drachtio+tls://…` for TLS. IPv6 literals stand in brackets; reserved
 * characters of the secret are percent-encoded. Throws SignallingError ENGINE_URL_INVALID, which never shows the secret.
 */
export function parseEngineUrl(text: string): EngineAddress {
  const match = /^drachtio(\+tls)?:\/\/:([^@/]+)@(\[[0-9A-Fa-f:.]+\]|[^:@/[\]]+)(?::(\d{1,5}))?\/?$/.exec(
    text,
  );
  const port = Number(match?.[4] ?? DEFAULT_PORT);
  if (!match || port < 1 || port > 65535)
    throw new SignallingError(
      'ENGINE_URL_INVALID',
      'an engine is given as drachtio://:secret@host:port (drachtio+tls:// for TLS)',
    );
  return {
    host: match[3]!.replace(/^\[|\]$/g, ''),
    port,
    secret: decodeSecret(match[2]!),
    tls: match[1] !== undefined,
  };
}

function decodeSecret(encoded: string): string {
  let secret: string | undefined;
  try {
    secret = decodeURIComponent(encoded);
  } catch {
    // Falls through to the one error below.
  }
  // The secret is one field of one line of the engine's protocol.
  if (secret === undefined || /[|\r\n]/.test(secret))
    throw new SignallingError('ENGINE_URL_INVALID', 'the engine secret is badly encoded');
  return secret;
}
