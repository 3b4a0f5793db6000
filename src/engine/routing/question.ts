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
    ['uriUser', userIn(request.requestUri)],
    ['contentType', (request.get('content-type') ?? '').replace(/;.*$/, '').trim()],
    ['uri', request.requestUri],
    ...paramsOf(request.requestUri),
  ];
}

/** Parameters of a URI as written. */
function paramsOf(uri: string): [string, string][] {
  const params = uri
    .replace(/^[^@]*@/, '')
    .replace(/\?.*$/, '')
    .split(';')
    .slice(1);
  return params.map((param) => {
    const [name = '', ...value] = param.split('=');
    return [name, value.join('=')];
  });
}

/** User part of a URI as written, escapes and all. */
function userIn(uri: string): string {
  return /^(?:sips?:([^@:]*)(?::[^@]*)?@|tel:([^;]*))/i.exec(uri)?.slice(1).find(Boolean) ?? '';
}

function userOf(address: string | undefined): string {
  const uri = address === undefined ? undefined : parseNameAddr(address)?.uri;
  return uri === undefined ? '' : userIn(uri);
}
