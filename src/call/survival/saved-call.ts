import { z } from 'zod';
import { savedMedia } from '../../media/saved-media.js';

/** Version of the form below; calls in another one are not taken over. */
export const SAVED_CALL_VERSION = 1;

const text = z.string().max(2048);
const wallMs = z.number().min(0);
const sdp = z.string().min(1).max(65_535);
const peer = z.object({ signallingAddress: text });
const side = z.enum(['a', 'b']);

const savedLegFields = z.object({
  /** `uas`: it called us, and its INVITE is in `invite`; `uac`: we called it. */
  role: z.enum(['uas', 'uac']),
  name: z.string().regex(/^(?:a|b\d{1,4})$/),
  side,
  party: z.enum(['CALLER', 'CALLEE']),
  /** The engine's name for the dialog. */
  dialogId: text,
  callId: text,
  target: z.looseObject({
    uri: text,
    nextHop: text.optional(),
    address: text,
    port: z.number().int().min(0).max(65_535),
    transport: z.string().max(10),
    username: text.optional(),
    mayDeflect: z.boolean().optional(),
  }),
  /** The trunk that it is at. */
  trunk: text.optional(),
  userAgent: text.optional(),
  /** What its Allow named; absent when it sent none. */
  allowed: z.array(z.string().max(64)).max(64).optional(),
  /** What the account of its user says; of a leg that we called it stands in `target`. */
  limits: z.record(z.string(), z.number()).optional(),
  /** Header fields of its INVITE, without those of the hop. */
  invite: z.object({ uri: text, headers: z.record(z.string(), z.string()) }).optional(),
});

/** A leg that called us is made of its INVITE: without a From there is none. */
const savedLeg = savedLegFields.refine(
  ({ role, invite }) => role === 'uac' || invite?.headers.from !== undefined,
);

export type SavedLeg = z.output<typeof savedLeg>;

const savedCall = z.object({
  v: z.literal(SAVED_CALL_VERSION),
  /** The one whose INVITE began it; it may have left by a transfer. */
  a: savedLeg,
  /** Who talks on the caller's side when it is not `a`. */
  near: savedLeg.optional(),
  winner: savedLeg,
  /** Phones that the call has seen, so that new ones get names of their own. */
  legCount: z.number().int().min(1).max(1000),
  caller: text.optional(),
  routedTo: text.optional(),
  /** The trunk that `a` came from. */
  trunkIn: text.optional(),
  parties: z.object({ caller: text, callee: text, dialled: text }),
  answerTime: wallMs,
  maxDurationSec: z.number().positive().optional(),
  /** When the longest duration is over. */
  endsAt: wallMs.optional(),
  held: z.array(z.string()).max(4),
  media: z.object({
    agreed: z.object({
      offerer: side,
      offer: sdp,
      offerPeer: peer,
      answer: sdp,
      answerPeer: peer,
      told: z.object({ a: sdp, b: sdp }),
    }),
    session: savedMedia,
  }),
});

/** An answered call as it is kept over a restart. */
export type SavedCall = z.output<typeof savedCall>;

/** Reads what was kept; undefined for anything else. */
export function readSavedCall(value: unknown): SavedCall | undefined {
  const read = savedCall.safeParse(value);
  return read.success ? read.data : undefined;
}
