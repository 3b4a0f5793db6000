import { randomToken } from '../../platform/ids.js';
import { type HeaderField, SipRequest } from '../../sip/message.js';
import { parseNameAddr } from '../../sip/name-addr.js';
import type { Dialog, Peer } from '../dialog/dialog.js';
import { type AppRequest, appHeader } from './app-message.js';
import { RefusedError } from './errors.js';
import { defaultContact, fillLocalhost, type LocalEnd, toReachableContact } from './local-addressing.js';
import { isSdp } from './sdp-body.js';

const TAG_LENGTH = 12;
/** RFC 3261 §8.1.1.5: below 2^31, and room to count up. */
const FIRST_SEQ_RANGE = 1_000_000;
/**
 * What an application gives as the routes of a new request (RFC 3327 §5.1), by a name of its own: drachtio-srf may hand on a
 * peer's `Route` with all other header fields. Applications alone have it: in what a peer sends it is taken out.
 */
export const PRELOADED_ROUTE = 'x-preloaded-route';
/** Placed by the builder, in the order of RFC 3261's examples. */
const HEAD_KEYS = new Set(['max-forwards', 'from', 'to', 'call-id', 'cseq', 'contact']);
/** The dialog's own; what an application says of them is not heard (RFC 3261 §12.2.1.1). */
const DIALOG_KEYS = new Set([...HEAD_KEYS, PRELOADED_ROUTE]);
const FORMS_DIALOG = new Set(['INVITE', 'SUBSCRIBE']);
const TARGET_REFRESH = new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'UPDATE']);

/** A new tag (RFC 3261 §19.3). */
export function newTag(): string {
  return randomToken(TAG_LENGTH);
}

/**
 * A request outside a dialog from what an application gave (RFC 3261 §8.1.1): From with tag, To, Call-ID, CSeq,
 * Max-Forwards and, when it founds a dialog, Contact are added where missing. Throws RefusedError.
 */
export function buildNewRequest(app: AppRequest, local: LocalEnd): SipRequest {
  const request = new SipRequest(app.method, app.uri);
  request.append('Max-Forwards', appHeader(app, 'max-forwards') ?? '70');
  request.append('From', fromValue(app, local));
  request.append('To', toValue(app, local));
  request.append('Call-ID', appHeader(app, 'call-id') || randomToken(24));
  request.append('CSeq', `${sequenceNumber(app)} ${app.method}`);
  appendContact(
    request,
    app,
    FORMS_DIALOG.has(app.method) ? defaultContact(local, app.uri.startsWith('sips:')) : '',
    local,
  );
  appendOthers(request, app, HEAD_KEYS, local);
  appendBody(request, app);
  return request;
}

/** A request of `dialog`, which overrides all that RFC 3261 §12.2.1.1 makes its own. Throws RefusedError. */
export function buildDialogRequest(
  app: AppRequest,
  dialog: Dialog,
  contact: string,
  local: LocalEnd,
  target: { seq?: number; peer?: Peer } = {},
): SipRequest {
  checkBody(app);
  const request = dialog.createRequest(app.method, target.seq, target.peer);
  appendContact(request, app, TARGET_REFRESH.has(app.method) ? contact : '', local);
  appendOthers(request, app, DIALOG_KEYS, local);
  appendBody(request, app);
  return request;
}

/** Throws RefusedError when a body has no type and is no SDP. */
export function checkBody(app: { headers: readonly HeaderField[]; body: string }): void {
  if (app.body.length === 0 || isSdp(app.body)) return;
  if (!app.headers.some((field) => field.key === 'content-type'))
    throw new RefusedError('missing content-type');
}

function fromValue(app: AppRequest, local: LocalEnd): string {
  const given = appHeader(app, 'from');
  const value = given === undefined ? defaultContact(local) : fillLocalhost(given, local, true);
  const address = parseNameAddr(value);
  if (!address) throw new RefusedError(`invalid from value provided by client: ${given}`);
  if (address.params.get('tag')) return value;
  return value.includes('<') ? `${value};tag=${newTag()}` : `<${address.uri}>;tag=${newTag()}`;
}

function toValue(app: AppRequest, local: LocalEnd): string {
  const given = appHeader(app, 'to');
  if (given === undefined) return `<${app.uri}>`;
  const value = fillLocalhost(given, local);
  if (!parseNameAddr(value)) throw new RefusedError(`invalid to value provided by client: ${given}`);
  return value;
}

function sequenceNumber(app: AppRequest): number {
  const given = Number.parseInt(appHeader(app, 'cseq') ?? '', 10);
  return given >= 0 && given < 2 ** 31 ? given : 1 + Math.floor(Math.random() * FIRST_SEQ_RANGE);
}

function appendContact(request: SipRequest, app: AppRequest, missing: string, local: LocalEnd): void {
  const isRegister = app.method === 'REGISTER';
  let found = false;
  for (const field of app.headers) {
    if (field.key !== 'contact') continue;
    found = true;
    request.append(
      'Contact',
      isRegister ? fillLocalhost(field.value, local) : toReachableContact(field.value, local),
    );
  }
  if (!found && missing !== '') request.append('Contact', missing);
}

function appendOthers(
  request: SipRequest,
  app: AppRequest,
  without: ReadonlySet<string>,
  local: LocalEnd,
): void {
  for (const field of app.headers) {
    if (without.has(field.key)) continue;
    if (field.key === PRELOADED_ROUTE) {
      request.append('Route', field.value);
      continue;
    }
    const isOurs = field.key === 'p-asserted-identity';
    request.headers.push(isOurs ? { ...field, value: fillLocalhost(field.value, local) } : field);
  }
}

function appendBody(request: SipRequest, app: AppRequest): void {
  checkBody(app);
  request.bodyText = app.body;
  if (app.body.length > 0 && !request.has('content-type')) request.append('Content-Type', 'application/sdp');
}
