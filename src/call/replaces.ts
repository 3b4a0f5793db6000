import { headerList } from '../signalling/request.js';
import type { SrfMessage } from '../signalling/srf-types.js';
import type { Leg } from './leg.js';

/** A dialog as Replaces names it, seen by who is asked to give it up (RFC 3891 §3). */
export interface ReplacedDialog {
  readonly callId: string;
  readonly fromTag: string;
  readonly toTag: string;
  /** Only while it is not answered. */
  readonly isEarlyOnly: boolean;
}

/** Reads a value of Replaces; undefined when it cannot be used (RFC 3891 §6.1). */
export function parseReplaces(value: string): ReplacedDialog | undefined {
  const [callId = '', ...params] = value.split(';').map((part) => part.trim());
  const tags = new Map(params.map((param) => param.split('=', 2) as [string, string | undefined]));
  const fromTag = tags.get('from-tag');
  const toTag = tags.get('to-tag');
  if (!callId || !fromTag || !toTag) return undefined;
  return { callId, fromTag, toTag, isEarlyOnly: tags.has('early-only') };
}

/** The Replaces of an INVITE; undefined without one, null when it cannot be used: one at the most (RFC 3891 §6.1). */
export function readReplaces(invite: SrfMessage): ReplacedDialog | undefined | null {
  const values = headerList(invite, 'replaces');
  if (values.length === 0) return undefined;
  return (values.length === 1 && parseReplaces(values[0]!)) || null;
}

/**
 * Whether a leg's dialog has the tags that Replaces names; a tag that we do not know fits. to-tag is ours for who talks to us
 * (RFC 3891 §3); who has the dialog's name from the phone itself writes the phone's there.
 */
export function fitsTags({ tags }: Pick<Leg, 'tags'>, { fromTag, toTag }: ReplacedDialog): boolean {
  const fits = (ours: string, theirs: string): boolean =>
    (tags?.local ?? ours) === ours && (tags?.remote ?? theirs) === theirs;
  return fits(toTag, fromTag) || fits(fromTag, toTag);
}
