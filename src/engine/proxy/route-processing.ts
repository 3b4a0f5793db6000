import { SipRequest } from '../../sip/message.js';
import { parseNameAddr } from '../../sip/name-addr.js';

/** A copy of a request that shares its fields, which nobody changes, and its body. */
export function copyRequest(request: SipRequest, requestUri = request.requestUri): SipRequest {
  const copy = new SipRequest(request.method, requestUri);
  for (const field of request.headers) copy.headers.push(field);
  copy.bodyText = request.bodyText;
  return copy;
}

/** URI of the top Route; undefined without one or when it is malformed. */
export function topRouteUri(request: SipRequest): string | undefined {
  const top = request.list('route')[0];
  return top === undefined ? undefined : parseNameAddr(top)?.uri;
}

/**
 * Takes our own entries out of the way of a request (RFC 3261 §16.4), in place: a strict router before us put our entry
 * into the Request-URI and the target at the end of the routes; else our entries are the top routes, two of them when we
 * record-routed for both sides (RFC 5658 §3). `isOurs` may be true of more, such as a phone's outbound proxy that we are.
 */
export function removeOwnRoutes(
  request: SipRequest,
  isRecordRoute: (uri: string) => boolean,
  isOurs: (uri: string) => boolean = isRecordRoute,
): void {
  const routes = request.list('route');
  if (routes.length > 0 && isRecordRoute(request.requestUri)) {
    const last = parseNameAddr(routes.pop()!);
    if (last) request.requestUri = last.uri;
    setRoutes(request, routes);
  }
  for (;;) {
    const top = topRouteUri(request);
    if (top === undefined || !isOurs(top)) return;
    request.removeFirst('route');
  }
}

/**
 * The URI that decides the next hop of a request whose way is its own (RFC 3261 §16.6 items 6 and 7). When the top route is
 * a strict router it is moved into the Request-URI, in place.
 */
export function nextHopUri(request: SipRequest): string {
  const top = topRouteUri(request);
  if (top === undefined) return request.requestUri;
  if (/;lr(?=[;=?]|$)/i.test(top)) return top;
  const rest = request.list('route').slice(1);
  setRoutes(request, [...rest, `<${request.requestUri}>`]);
  request.requestUri = top.replace(/\?.*$/, '');
  return request.requestUri;
}

function setRoutes(request: SipRequest, routes: readonly string[]): void {
  const at = request.headers.findIndex((field) => field.key === 'route');
  request.remove('route');
  const fields = routes.map((value) => ({ name: 'Route', key: 'route', value }));
  request.headers.splice(Math.max(at, 0), 0, ...fields);
}
