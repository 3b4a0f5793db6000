import type { HeaderField } from '../../sip/message.js';
import { uriScheme } from '../../sip/uri.js';
import type { ProxyOrder } from '../core/way.js';
import { MAX_TARGETS, MAX_TIMEOUT_MS } from '../proxy/limits.js';

/** What the frame `proxy` asks for. */
export interface ProxyCommand {
  readonly txnId: string;
  /** Each final response is to be told. */
  readonly fullResponse: boolean;
  readonly order: ProxyOrder;
}

/**
 * Reads `txnId|[remainInDialog]|[fullResponse]|[followRedirects]|simultaneous or serial|[provTimeout]|[finalTimeout]|dest1…`.
 * Undefined when fields are missing. Destinations beyond MAX_TARGETS are left out.
 */
export function parseProxyCommand(
  fields: readonly string[],
  headers: readonly HeaderField[],
): ProxyCommand | undefined {
  const [txnId = '', recordRoute, fullResponse, redirects, forking, provisional = '', final = ''] = fields;
  const destinations = fields.slice(7).filter((field) => field !== '');
  if (txnId === '' || destinations.length === 0) return undefined;
  return {
    txnId,
    fullResponse: fullResponse === 'fullResponse',
    order: {
      destinations: destinations.slice(0, MAX_TARGETS).map(toDestination),
      headers,
      recordRoute: recordRoute === 'remainInDialog',
      followRedirects: redirects === 'followRedirects',
      simultaneous: forking === 'simultaneous',
      provisionalTimeoutMs: parseTimeout(provisional),
      finalTimeoutMs: parseTimeout(final),
    },
  };
}

/** drachtio-srf writes `sip:` before all that does not start with `sip:` or `tel:`, `sips:` included. */
export function toDestination(destination: string): string {
  if (/^sip:sips:/i.test(destination)) return destination.slice(4);
  const scheme = uriScheme(destination);
  return scheme === 'sip' || scheme === 'sips' || scheme === 'tel' ? destination : `sip:${destination}`;
}

/** Milliseconds of `<n>s` or `<n>ms`; undefined for anything else. */
export function parseTimeout(text: string): number | undefined {
  const parts = /^(\d{1,9})(ms|s)$/.exec(text);
  if (!parts) return undefined;
  const timeoutMs = Number(parts[1]) * (parts[2] === 's' ? 1000 : 1);
  return timeoutMs > 0 ? Math.min(timeoutMs, MAX_TIMEOUT_MS) : undefined;
}
