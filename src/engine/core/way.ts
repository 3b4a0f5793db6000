import type { HeaderField, SipRequest } from '../../sip/message.js';
import type { ServerTransaction, Source } from '../types.js';
import type { Application } from './application.js';

/** What a proxy is told to do with a request. */
export interface ProxyOrder {
  /** URIs of next hops, best first. */
  readonly destinations: readonly string[];
  /** To be added to the request; only what an application may set. */
  readonly headers: readonly HeaderField[];
  /** Later requests of the dialog come this way too (RFC 3261 §16.6 item 4); for a REGISTER: Path (RFC 3327). */
  readonly recordRoute: boolean;
  /** Contacts of a 3xx are tried (RFC 3261 §16.7 item 4). */
  readonly followRedirects: boolean;
  /** All destinations at once, rather than one after the other. */
  readonly simultaneous: boolean;
  /** How long an INVITE may go without any provisional, before the next destination is tried; milliseconds. */
  readonly provisionalTimeoutMs: number | undefined;
  /** The same for the final response; the branch is cancelled. */
  readonly finalTimeoutMs: number | undefined;
}

/** What becomes of a new request outside a dialog. */
export type Way =
  | {
      readonly kind: 'application';
      readonly app: Application;
      /** To be called when the request is not wanted any more: the application was reached for it alone. */
      readonly drop?: () => void;
    }
  | {
      readonly kind: 'answer';
      readonly statusCode: number;
      readonly reasonPhrase?: string;
      /** Values of Contact, for a redirection. */
      readonly contacts?: readonly string[];
    }
  | { readonly kind: 'proxy'; readonly order: ProxyOrder }
  /** No application wants it. */
  | { readonly kind: 'nobody' };

/** Finds the way of a new request: at once where it is known, else within a bounded time. Never throws or rejects. */
export interface RequestRouter {
  route(request: SipRequest, source: Source): Way | Promise<Way>;
}

/** Proxies a request that no application has; false when that cannot be done. */
export type ProxyRequest = (tx: ServerTransaction, order: ProxyOrder) => boolean;
