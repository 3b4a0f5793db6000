import { z } from 'zod';

/** Version of the form below; dialogs in another one are not taken. */
export const SAVED_DIALOG_VERSION = 1;

const protocol = z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']);
const port = z.number().int().min(0).max(65_535);
const text = z.string().max(4096);
const seq = z.number().int().min(0).max(0x7fff_ffff);

const savedDialog = z.object({
  v: z.literal(SAVED_DIALOG_VERSION),
  id: text,
  /** Tags of the application that it belongs to. */
  tags: z.array(text).max(20),
  role: z.enum(['uac', 'uas']),
  callId: text,
  localTag: text,
  localAddress: text,
  localSeq: seq,
  remoteSeq: seq.optional(),
  peer: z.object({
    tag: text.optional(),
    address: text,
    target: text.optional(),
    routeSet: z.array(text).max(64),
  }),
  contact: text,
  /** The peer's Allow named UPDATE. */
  takesUpdate: z.boolean(),
  /** Where requests go instead of where the target and the routes say; a connection is gone by the time this is read. */
  override: z
    .object({ protocol, address: text, port, isConnection: z.boolean(), flowOnly: z.boolean() })
    .optional(),
  seenAt: z.object({ protocol, address: text, port, localAddress: text, localPort: port }).optional(),
  /** RFC 4028, with the description that refreshes of ours repeat. */
  session: z.object({ intervalSec: z.number().positive(), isRefresherUs: z.boolean() }).optional(),
  localSdp: z.string().max(65_535).optional(),
});

/** A confirmed dialog of an INVITE as it is kept over a restart: what RFC 3261 §12 calls its state, and the way to its peer. */
export type SavedDialog = z.output<typeof savedDialog>;

/** Reads what was kept; undefined for anything else. */
export function readSavedDialog(value: unknown): SavedDialog | undefined {
  const read = savedDialog.safeParse(value);
  return read.success ? read.data : undefined;
}
