import { parseDeltaSeconds } from './numbers.js';
import { type Params, splitParams } from './params.js';

/** Value of Session-Expires (RFC 4028 §4). */
export interface SessionExpires {
  readonly intervalSec: number;
  /** Who refreshes; undefined when not said or not understood. */
  readonly refresher: 'uac' | 'uas' | undefined;
  readonly params: Params;
}

/** Parses `1800;refresher=uac`, also Min-SE; undefined when malformed (RFC 4028 §4, §5). */
export function parseSessionExpires(text: string): SessionExpires | undefined {
  const parts = splitParams(text);
  const intervalSec = parts && parseDeltaSeconds(parts.head);
  if (!parts || intervalSec === undefined) return undefined;
  const refresher = parts.params.get('refresher')?.toLowerCase();
  const isKnown = refresher === 'uac' || refresher === 'uas';
  return { intervalSec, refresher: isKnown ? refresher : undefined, params: parts.params };
}
