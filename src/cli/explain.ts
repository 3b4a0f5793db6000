import { AppError, errorMessage } from '../platform/errors.js';

/** What to do about failures that a newcomer meets, by what their messages say. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /EADDRINUSE/,
    'Another program uses that port (`ss -lntup` shows which), maybe another ims: stop it, or set another address, e.g. --sip-listen udp:0.0.0.0:5070,tcp:0.0.0.0:5070 or --mml-listen 127.0.0.1:2324.',
  ],
  [/EADDRNOTAVAIL/, 'That address is not one of this machine: `ip addr` shows those that are.'],
  [/EACCES|EPERM/, 'This user may not: use a port from 1024 up, or a DATA_DIR that it owns.'],
  [/ENOSPC/, 'The disk is full.'],
  [
    /STORE_UNAVAILABLE/,
    'The Store does not answer: is Redis up, and is STORE_URL right? `ims config` shows it.',
  ],
];

/** A failure as one or two lines for a person; the stack only for a mistake of ours. */
export function explain(error: unknown): string {
  const isExpected = error instanceof AppError || (error as NodeJS.ErrnoException).code !== undefined;
  if (!isExpected) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  const text = errorMessage(error);
  const known = ADVICE.find(
    ([sign]) => sign.test(text) || sign.test(String((error as NodeJS.ErrnoException).code)),
  );
  return known ? `${text}\n${known[1]}` : text;
}
