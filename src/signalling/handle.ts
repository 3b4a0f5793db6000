import { AppError } from '../platform/errors.js';
import type { Logger } from '../platform/logger.js';
import { respondOnly } from './respond.js';
import type { SrfHandler, SrfRequest, SrfResponse } from './srf-types.js';

/** What a room gives to take requests of a method. It may throw or reject: the request gets its final answer anyway. */
export type SipHandler = (req: SrfRequest, res: SrfResponse) => Promise<void> | void;

/**
 * Makes a handler that leaves no promise floating and no request without a final answer: what is thrown is logged with
 * the Call-ID and answered with the error's SIP status, 500 for one that we do not know.
 */
export function handle(handler: SipHandler, log: Logger): SrfHandler {
  return (req, res) => {
    try {
      handler(req, res)?.catch((error: unknown) => answerFailure(req, res, error, log));
    } catch (error) {
      answerFailure(req, res, error, log);
    }
  };
}

function answerFailure(req: SrfRequest, res: SrfResponse, error: unknown, log: Logger): void {
  const status = error instanceof AppError ? error.sipStatus : 500;
  const facts = { callId: req.get('call-id'), method: req.method, status };
  if (status < 500 && error instanceof AppError)
    log.info({ ...facts, reason: error.message }, 'request refused');
  else log.error({ ...facts, err: error }, 'a request handler failed');
  // RFC 3261 §17: ACK has no response.
  if (req.method === 'ACK' || res.finalResponseSent) return;
  const isPeerFault = error instanceof AppError && status < 500;
  respondOnly(res, status, {
    ...(isPeerFault ? { reason: error.message } : {}),
    ...(status === 503 ? { headers: { 'Retry-After': '10' } } : {}),
  });
}
