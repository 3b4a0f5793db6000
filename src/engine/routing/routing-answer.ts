import { parseNameAddr } from '../../sip/name-addr.js';
import type { ProxyOrder } from '../core/way.js';
import { parseTimeout, toDestination } from '../drachtio/proxy-command.js';
import { MAX_TARGETS } from '../proxy/limits.js';
import { type ApplicationAddress, parseApplicationAddress } from './application-address.js';

/** What an HTTP handler wants done with a request. */
export type RoutingAnswer =
  | { readonly action: 'reject'; readonly statusCode: number; readonly reasonPhrase?: string }
  | { readonly action: 'redirect'; readonly contacts: readonly string[] }
  | { readonly action: 'proxy'; readonly order: ProxyOrder }
  /** Connect to an application for this request. */
  | { readonly action: 'connect'; readonly address: ApplicationAddress }
  /** Give it to a connected application that has this tag. */
  | { readonly action: 'tag'; readonly tag: string };

type Data = Readonly<Record<string, unknown>>;

const READERS: Readonly<Record<string, (data: Data) => RoutingAnswer | undefined>> = {
  reject: readReject,
  redirect: readRedirect,
  proxy: readProxy,
  route: readRoute,
};
/** When an answer does not say. */
const PROVISIONAL_TIMEOUT = '5s';
const FINAL_TIMEOUT = '60s';

/** Reads `{"action": …, "data": {…}}`; undefined when it is not that, or says something that cannot be done. */
export function parseRoutingAnswer(body: string): RoutingAnswer | undefined {
  const answer = parseObject(body);
  const { action, data } = answer ?? {};
  if (typeof action !== 'string' || !Object.hasOwn(READERS, action) || !isObject(data)) return undefined;
  return READERS[action]!(data);
}

function readReject({ status, reason }: Data): RoutingAnswer | undefined {
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 300 || status > 699)
    return undefined;
  return isText(reason)
    ? { action: 'reject', statusCode: status, reasonPhrase: reason }
    : { action: 'reject', statusCode: status };
}

function readRedirect({ contact }: Data): RoutingAnswer | undefined {
  const contacts = textsOf(contact);
  if (!contacts?.every((value) => parseNameAddr(value))) return undefined;
  return { action: 'redirect', contacts };
}

function readProxy(data: Data): RoutingAnswer | undefined {
  const destinations = textsOf(data['destination']);
  if (!destinations) return undefined;
  const timeoutMs = (name: string, usual: string): number | undefined =>
    parseTimeout(isText(data[name]) ? data[name] : usual);
  return {
    action: 'proxy',
    order: {
      destinations: destinations.map(toDestination),
      headers: [],
      recordRoute: data['recordRoute'] === true,
      followRedirects: data['followRedirects'] !== false,
      simultaneous: data['simultaneous'] === true,
      provisionalTimeoutMs: timeoutMs('provisionalTimeout', PROVISIONAL_TIMEOUT),
      finalTimeoutMs: timeoutMs('finalTimeout', FINAL_TIMEOUT),
    },
  };
}

function readRoute({ uri, tag }: Data): RoutingAnswer | undefined {
  if (!isText(uri)) return isText(tag) ? { action: 'tag', tag } : undefined;
  const address = parseApplicationAddress(uri);
  return address && { action: 'connect', address };
}

function parseObject(text: string): Data | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Data {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that may stand in a header field: no control character could end it there. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !/[\x00-\x1f\x7f]/.test(value);
}

/** One text or a list of some; undefined for anything else. */
function textsOf(value: unknown): string[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value.slice(0, MAX_TARGETS) : [value];
  return list.length > 0 && list.every(isText) ? list : undefined;
}
