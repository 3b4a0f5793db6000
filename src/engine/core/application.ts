import type { SipMessage, SipRequest, SipResponse } from '../../sip/message.js';
import type { Source } from '../types.js';
import type { CallEvent } from './call-events.js';

/** What an application is told about a message beside its text. */
export interface MessageFacts {
  /** `network`: it came in, or the engine made it in a peer's place; `application`: the engine or an application sent it. */
  readonly origin: 'network' | 'application';
  /** 0 for a response that was never on the wire. */
  readonly sizeBytes: number;
  readonly protocol: string;
  readonly address: string;
  readonly port: number;
}

/** The name under which an application speaks of a transaction that it did not start or need not answer. */
export const UNSOLICITED = 'unsolicited';

/** One connected application, as the core sees it. */
export interface Application {
  /** False for good once its connection is gone; nothing delivered then arrives. */
  readonly connected: boolean;
  /** What it calls itself; one with a tag of a gone one inherits that one's dialogs. */
  readonly tags: ReadonlySet<string>;
  /** `dialogId` is empty outside a dialog. `receivedOn` is given for new requests outside a dialog alone. */
  deliverRequest(
    request: SipRequest,
    facts: MessageFacts,
    txnId: string,
    dialogId: string,
    receivedOn?: { address: string; port: number },
  ): void;
  deliverResponse(response: SipResponse, facts: MessageFacts, txnId: string, dialogId: string): void;
  /** `detail` is the role or the reason, undefined for an attempt. */
  deliverCallEvent(
    event: CallEvent,
    origin: MessageFacts['origin'],
    detail: string | undefined,
    message: SipMessage,
  ): void;
}

/** Chooses the application for a new request or a call event, among those with `tag` if given; undefined when none wants that. */
export interface ApplicationDirectory {
  pick(verb: string, tag?: string): Application | undefined;
}

/** Facts of a message that came from `source`. */
export function networkFacts(message: SipRequest | SipResponse, source: Source): MessageFacts {
  return {
    origin: 'network',
    sizeBytes: message.wireText?.length ?? 0,
    protocol: source.protocol,
    address: source.address,
    port: source.port,
  };
}

/** Facts of a response that the engine made because no peer did (RFC 3261 §8.1.3.1). */
export const INTERNAL_FACTS: MessageFacts = {
  origin: 'network',
  sizeBytes: 0,
  protocol: 'udp',
  address: '',
  port: 0,
};
