import { z } from 'zod';

const port = z.number().int().min(1).max(65_535);
const ports = z.record(z.string().regex(/^\d{1,3}$/), port);
const origin = z.object({ sessId: z.string().max(40), sessVersion: z.number().int().min(0) });

/** What a relay session is found and made again by after a restart. */
export const savedMedia = z.object({
  /** Name of the relay, as configured. */
  relay: z.string().max(256),
  /** Where it took commands: another relay may have its name by then. Absent in what earlier versions kept. */
  url: z.string().max(300).optional(),
  /** The call's name there. */
  relayCallId: z.string().regex(/^[!-%'-~]{1,256}$/),
  attempts: z.number().int().min(0),
  /** Ports that each side was told, by the number of the stream. */
  ports: z.object({ a: ports, b: ports }),
  /** RFC 3264 §8: the o= line of what each side was told. */
  origins: z.object({ a: origin, b: origin }),
  codecs: z.record(
    z.string().regex(/^\d{1,3}$/),
    z.object({ kind: z.string(), codec: z.string().optional() }),
  ),
});

export type SavedMedia = z.output<typeof savedMedia>;
