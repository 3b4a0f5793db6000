import type { SipResponse } from '../../sip/message.js';
import type { MessageFacts } from './application.js';

/** A message has left, or is about to: what its application is told before anything else about it. */
export interface Sent {
  readonly ok: true;
  readonly txnId: string;
  /** Empty outside a dialog; of no meaning for requests. */
  readonly dialogId: string;
  readonly facts: MessageFacts;
  /** The message as put on the wire, a char for each octet. */
  readonly text: string;
  /** The final response to an INVITE outside a dialog, when it is that. */
  readonly finalOfCall?: SipResponse;
}

/** Nothing was sent. */
export interface Refused {
  readonly ok: false;
  readonly reason: string;
}

export type Outcome = Sent | Refused;

/** Tells an application what became of its command; called once. */
export type Echo = (outcome: Outcome) => void;

export function refused(reason: string): Refused {
  return { ok: false, reason };
}
