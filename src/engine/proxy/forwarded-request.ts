import type { HeaderField, SipRequest } from '../../sip/message.js';
import { fillLocalhost, type LocalEnd } from '../core/local-addressing.js';
import { maxForwardsOf } from './request-check.js';
import { copyRequest } from './route-processing.js';

/** Not a proxy's to change (RFC 3261 §16.6): what makes the dialog, the hop count, what tells of the body. */
const NOT_ADDED = new Set(
  'from to call-id cseq max-forwards max-breadth content-type content-encoding content-disposition rack'.split(
    ' ',
  ),
);
/** Fields that a message has once; an application's takes the place of the caller's. */
const SINGLE = new Set(
  (
    'date event expires mime-version min-expires min-se organization priority refer-to referred-by reply-to ' +
    'retry-after server session-expires sip-if-match subject timestamp user-agent'
  ).split(' '),
);

/** What a copy of a request says otherwise than the request. */
export interface Changes {
  readonly requestUri: string;
  /** Values of Record-Route, or of Path for a REGISTER, top first. */
  readonly routes: readonly string[];
  readonly headers: readonly HeaderField[];
  readonly maxBreadth: number;
  /** Our end of the way to the next hop. */
  readonly local: LocalEnd;
}

/** The copy of a request that goes to one next hop (RFC 3261 §16.6 items 1 to 5), without our Via. */
export function createForwarded(request: SipRequest, changes: Changes): SipRequest {
  const copy = copyRequest(request, changes.requestUri);
  copy.set('Max-Forwards', String(maxForwardsOf(request) - 1));
  // RFC 5393 §5.3.3
  copy.set('Max-Breadth', String(changes.maxBreadth));
  addRoutes(copy, changes.routes);
  for (const field of changes.headers) addHeader(copy, field, changes.local);
  return copy;
}

/** RFC 3261 §16.6 item 4; RFC 3327 §5.2 for a REGISTER. */
function addRoutes(copy: SipRequest, routes: readonly string[]): void {
  if (routes.length === 0) return;
  const isRegister = copy.method === 'REGISTER';
  const name = isRegister ? 'Path' : 'Record-Route';
  const key = name.toLowerCase();
  const first = copy.headers.findIndex((field) => field.key === key);
  const behindVias = copy.headers.findLastIndex((field) => field.key === 'via') + 1;
  const fields = routes.map((value) => ({ name, key, value }));
  copy.headers.splice(first < 0 ? behindVias : first, 0, ...fields);
  if (isRegister && !copy.list('require').includes('path')) copy.append('Require', 'path');
}

function addHeader(copy: SipRequest, field: HeaderField, local: LocalEnd): void {
  const { key, name } = field;
  if (NOT_ADDED.has(key)) return;
  const namesUs = key === 'contact' || key === 'p-asserted-identity';
  const value = namesUs ? fillLocalhost(field.value, local) : field.value;
  if (SINGLE.has(key)) copy.set(name, value);
  else copy.append(name, value);
}
