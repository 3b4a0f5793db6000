import type { DestinationStream } from 'pino';
import { PinoPretty } from 'pino-pretty';

/** Log lines for people, on standard error. */
export function pinoPretty(): DestinationStream {
  return PinoPretty({
    destination: 2,
    sync: true,
    ignore: 'module',
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: '{module}: {msg}',
  });
}
