import { applyCodecPolicy, type CodecPolicy } from '../sdp/codec-policy.js';
import { BadSdpError } from '../sdp/errors.js';

/** Whose policies an offer is under. */
export interface PolicySide {
  readonly codecs?: CodecPolicy | undefined;
}

/** An offer as it may cross between two sides: the codec policies of both hold. Throws BadSdpError when nothing is left of it. */
export function offered(sdp: string, ...sides: readonly (PolicySide | undefined)[]): string {
  let result = sdp;
  for (const side of sides) {
    if (!side?.codecs) continue;
    const applied = applyCodecPolicy(result, side.codecs);
    if (applied === undefined) throw new BadSdpError('no codec is left that the trunk may have');
    result = applied;
  }
  return result;
}
