import { AppError } from '../platform/errors.js';
import type { SipRequest } from './message.js';

/** Why a message is refused: the status and phrase a UAS would answer with (RFC 3261 §21.4.1, RFC 4475). */
export interface Problem {
  readonly statusCode: number;
  /** Names what is wrong, e.g. `Bad CSeq Header`. Never holds text of the peer. */
  readonly reasonPhrase: string;
}

/** 400 with a phrase that names the fault (RFC 3261 §21.4.1). */
export function badRequest(reasonPhrase: string): Problem {
  return { statusCode: 400, reasonPhrase };
}

/** Bytes that are no acceptable SIP message. The one error that the parsers throw. */
export class SipParseError extends AppError {
  readonly statusCode: number;
  readonly reasonPhrase: string;
  /**
   * What could be read, when a response can be sent: the topmost Via is usable. All else may be wrong or missing;
   * createResponse copies what is there. An ACK is never answered (RFC 3261 §17.1.1.3): look at its method.
   */
  readonly request: SipRequest | undefined;
  /** The message was a response: drop it (RFC 3261 §18.1.2). */
  readonly isResponse: boolean;

  constructor(problem: Problem, origin: { request?: SipRequest | undefined; isResponse?: boolean } = {}) {
    super('SIP_PARSE', problem.reasonPhrase, { sipStatus: problem.statusCode });
    this.statusCode = problem.statusCode;
    this.reasonPhrase = problem.reasonPhrase;
    this.request = origin.request;
    this.isResponse = origin.isResponse ?? false;
  }
}
