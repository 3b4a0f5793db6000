import { createHmac, randomBytes } from 'node:crypto';
import type { SipRequest } from '../../sip/message.js';
import { splitList } from '../../sip/split.js';
import { parseVia } from '../../sip/via.js';

/** What a proxy's decision may hang on beside Request-URI, tags, Call-ID and CSeq number (RFC 3261 §16.6 item 8). */
const HASHED = ['route', 'proxy-require', 'proxy-authorization'];
const HASH_LENGTH = 16;
const SEPARATOR = '.';

/**
 * Tells a loop from a spiral by the end of our branches (RFC 3261 §16.3 item 4, RFC 5393 §4.2). A request that comes back
 * with all that we decide by unchanged would go round for ever; with another Request-URI it is welcome.
 */
export class LoopDetector {
  /** Nobody else can make our branches, so no sent-by needs to be compared. */
  private readonly key = randomBytes(16);

  /** What our branches for this request, as it came in, end with. The top Via is left out (RFC 5393 §4.2.1). */
  branchTail(request: SipRequest): string {
    const hash = createHmac('sha1', this.key);
    const { requestUri, callId, fromTag, toTag, cseq } = request;
    hash.update(`${requestUri}\n${callId}\n${fromTag}\n${toTag}\n${cseq?.seq}\n`, 'latin1');
    for (const key of HASHED) hash.update(`${request.getAll(key).join(',')}\n`, 'latin1');
    return SEPARATOR + hash.digest('base64url').slice(0, HASH_LENGTH);
  }

  /** Whether a Via of the request says that we sent the same on before. */
  isLoop(request: SipRequest, branchTail: string): boolean {
    for (const field of request.headers) {
      if (field.key !== 'via' || !field.value.includes(branchTail)) continue;
      if (splitList(field.value).some((via) => parseVia(via, true)?.branch?.endsWith(branchTail)))
        return true;
    }
    return false;
  }
}
