import type { SipRequest } from '../../sip/message.js';
import { parseNameAddr } from '../../sip/name-addr.js';
import { parseUri } from '../../sip/uri.js';
import type { Source } from '../types.js';

/** What an HTTP handler is asked about a request: its URL with the facts as a query. */
export function questionUrl(handler: URL, request: SipRequest, source: Source): URL {
  const url = new URL(handler);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  for (const [name, value] of factsOf(request, source)) url.searchParams.append(name, value);
  return url;
}

function factsOf(request: SipRequest, source: Source): [string, string][] {
  const uri = parseUri(request.requestUri);
  const isWeb = source.protocol === 'ws' || source.protocol === 'wss';
  return [
    ['method', request.method],
    ['domain', uri?.host ?? ''],
    ['protocol', isWeb ? 'tcp' : source.protocol],
    ['source_address', source.address],
    ['fromUser', userOf(request.get('from'))],
    ['toUser', userOf(request.get('to'))],
    ['uriUser', uri?.user ?? ''],
    ['contentType', (request.get('content-type') ?? '').replace(/;.*$/, '').trim()],
    ['uri', request.requestUri],
    ...(uri?.params ?? []),
  ];
}

function userOf(address: string | undefined): string {
  const uri = address === undefined ? undefined : parseNameAddr(address)?.uri;
  return (uri === undefined ? undefined : parseUri(uri)?.user) ?? '';
}
