import type { SipMessage } from '../../sip/message.js';
import type { ApplicationDirectory, MessageFacts } from './application.js';

/** What an application asks for by `route|cdr:attempt` and the like. */
export type CallEvent = 'cdr:attempt' | 'cdr:start' | 'cdr:stop';
/** Our part in a call that was answered. */
export type CallRole = 'uac' | 'uas' | 'proxy-uac' | 'proxy-uas';
export type StopReason =
  | 'call-rejected'
  | 'call-canceled'
  | 'normal-release'
  | 'session-expired'
  | 'system-initiated-termination'
  | 'system-error-initiated-termination';

type Origin = MessageFacts['origin'];

/** Tells applications that want to know when calls are tried, answered and over; each event to one of them in turn. */
export class CallEvents {
  constructor(private readonly applications: ApplicationDirectory) {}

  /** An INVITE outside a dialog came in (`network`) or was sent (`application`). */
  attempt(origin: Origin, invite: SipMessage): void {
    this.tell('cdr:attempt', origin, undefined, invite);
  }

  /** A call was answered; `message` is the 2xx. */
  start(origin: Origin, role: CallRole, message: SipMessage): void {
    this.tell('cdr:start', origin, role, message);
  }

  /** A call is over, or came to nothing; `message` is what ended it. */
  stop(origin: Origin, reason: StopReason, message: SipMessage): void {
    this.tell('cdr:stop', origin, reason, message);
  }

  /** A final response to an INVITE outside a dialog. */
  final(origin: Origin, role: CallRole, response: SipMessage & { statusCode: number }): void {
    if (response.statusCode < 300) this.start(origin, role, response);
    else this.stop(origin, stopReason(response.statusCode), response);
  }

  private tell(event: CallEvent, origin: Origin, detail: string | undefined, message: SipMessage): void {
    this.applications.pick(event)?.deliverCallEvent(event, origin, detail, message);
  }
}

/** Why a call with that final response (300..699) came to nothing. */
export function stopReason(statusCode: number): StopReason {
  return statusCode === 487 ? 'call-canceled' : 'call-rejected';
}
