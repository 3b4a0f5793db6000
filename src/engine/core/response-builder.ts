import type { SipRequest, SipResponse } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';
import { type AppResponse, appHeader } from './app-message.js';
import { fillLocalhost, type LocalEnd } from './local-addressing.js';
import { checkBody } from './request-builder.js';

/** RFC 3261 §8.2.6.2: copied from the request, whatever an application says. */
const COPIED_KEYS = new Set(['from', 'to', 'call-id', 'cseq']);
/** Requests that found no dialog and keep none: their Record-Route is of no use in a response. */
const WITHOUT_RECORD_ROUTE = new Set(['BYE', 'CANCEL', 'OPTIONS', 'REGISTER', 'INFO', 'PRACK', 'PUBLISH']);

/**
 * An application's response: its header fields but those that RFC 3261 §8.2.6.2 copies from the request, Record-Route
 * copied (RFC 3261 §12.1.1), `contact` added when it gave none, the type of an SDP body inferred. Throws RefusedError.
 */
export function buildAppResponse(
  request: SipRequest,
  app: AppResponse,
  options: { localTag: string; local: LocalEnd; contact: string | undefined },
): SipResponse {
  checkBody(app);
  const { statusCode } = app;
  const response = createResponse(request, statusCode, app.reasonPhrase, options.localTag);
  if (statusCode > 100 && statusCode < 300 && !WITHOUT_RECORD_ROUTE.has(request.method))
    for (const value of request.getAll('record-route')) response.append('Record-Route', value);
  for (const field of app.headers) {
    if (COPIED_KEYS.has(field.key)) continue;
    const isOurs =
      field.key === 'contact' ? request.method !== 'REGISTER' : field.key === 'p-asserted-identity';
    response.headers.push(isOurs ? { ...field, value: fillLocalhost(field.value, options.local) } : field);
  }
  if (options.contact !== undefined && !response.has('contact')) response.append('Contact', options.contact);
  response.bodyText = app.body;
  if (app.body.length > 0 && !response.has('content-type'))
    response.append('Content-Type', 'application/sdp');
  return response;
}

/** The tag that an application put on To; undefined when it left that to us. */
export function appToTag(app: AppResponse): string | undefined {
  return /;\s*tag\s*=\s*([^\s;,]+)/i.exec(appHeader(app, 'to') ?? '')?.[1];
}
