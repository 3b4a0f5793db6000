import type { SignallingConnection } from '../../src/signalling/connection.js';
import { answerStray } from '../../src/signalling/fallbacks.js';

const METHODS = [
  'OPTIONS',
  'ACK',
  'BYE',
  'UPDATE',
  'PRACK',
  'INFO',
  'NOTIFY',
  'REFER',
  'MESSAGE',
  'SUBSCRIBE',
  'PUBLISH',
];

/** Has every request outside dialogs answered that no handler of the test takes. */
export function installFallbacks(
  connection: SignallingConnection,
  options: { readonly supported?: readonly string[] } = {},
): void {
  for (const method of METHODS) connection.on(method, (req, res) => answerStray(req, res, options.supported));
}
