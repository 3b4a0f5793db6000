import type { SignallingConnection } from './connection.js';
import { hasToTag } from './request.js';
import { respondOnly } from './respond.js';
import type { SrfRequest, SrfResponse } from './srf-types.js';

/** Methods that this server acts on (RFC 3261 §20.5). */
export const ALLOWED_METHODS = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'OPTIONS',
  'REGISTER',
  'UPDATE',
  'PRACK',
  'INFO',
] as const;

/** Allow's value. */
export const ALLOW = ALLOWED_METHODS.join(', ');

/** Methods that exist only inside a dialog for us: outside they belong to one that is over (RFC 3261 §12.2.2). */
const DIALOG_METHODS = ['BYE', 'UPDATE', 'PRACK', 'INFO', 'NOTIFY', 'REFER'] as const;
/** Methods that act outside dialogs too, but that nobody here takes. */
const OTHER_METHODS = ['MESSAGE', 'SUBSCRIBE', 'PUBLISH'] as const;

export interface FallbackOptions {
  /** Methods outside dialogs that have a handler of their own. */
  readonly taken?: readonly string[];
  /** Values of Supported, e.g. `path`. */
  readonly supported?: readonly string[];
}

/**
 * Gives every request that nobody takes its final answer: OPTIONS 200 with what we can do (RFC 3261 §11.2), requests of a
 * dialog that is over 481 (§12.2.2), other methods 405 with Allow (§8.2.1). Unknown methods never get past the engine.
 */
export function installFallbacks(connection: SignallingConnection, options: FallbackOptions = {}): void {
  const isFree = (method: string): boolean => !options.taken?.includes(method);
  if (isFree('OPTIONS')) connection.on('OPTIONS', (req, res) => answerOptions(req, res, options.supported));
  for (const method of DIALOG_METHODS) if (isFree(method)) connection.on(method, refuseStray);
  for (const method of OTHER_METHODS) if (isFree(method)) connection.on(method, refuseMethod);
  // RFC 3261 §17: an ACK that belongs to nothing is dropped; srf would answer other strays 404.
  if (isFree('ACK')) connection.on('ACK', () => undefined);
}

/** 481 for a request that names a dialog which is not there. */
export function refuseStray(_req: SrfRequest, res: SrfResponse): void {
  respondOnly(res, 481);
}

/** 481 with a To tag (RFC 3261 §12.2.2), else 405 with the methods that we take (RFC 3261 §8.2.1). */
export function refuseMethod(req: SrfRequest, res: SrfResponse): void {
  if (hasToTag(req)) respondOnly(res, 481);
  else respondOnly(res, 405, { headers: { Allow: ALLOW } });
}

function answerOptions(req: SrfRequest, res: SrfResponse, supported: readonly string[] = []): void {
  if (hasToTag(req)) {
    respondOnly(res, 481);
    return;
  }
  respondOnly(res, 200, {
    headers: {
      Allow: ALLOW,
      Accept: 'application/sdp',
      'Accept-Language': 'en',
      Supported: supported.join(', '),
    },
  });
}
