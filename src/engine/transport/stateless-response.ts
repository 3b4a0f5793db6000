import { createHash, randomBytes } from 'node:crypto';
import type { SipRequest, SipResponse } from '../../sip/message.js';
import { createResponse } from '../../sip/response.js';

const TAG_LENGTH = 16;
/** Makes tags unguessable, and different from those of other servers for the same request. */
const SALT = randomBytes(16);

/** A response that no transaction keeps: a retransmission of the request gets the same tag (RFC 3261 §8.2.7). */
export function createStatelessResponse(
  request: SipRequest,
  statusCode: number,
  reasonPhrase?: string,
): SipResponse {
  return createResponse(request, statusCode, reasonPhrase, statelessTag(request));
}

function statelessTag(request: SipRequest): string {
  const hash = createHash('sha1').update(SALT);
  for (const key of ['call-id', 'from', 'cseq']) hash.update(`${request.get(key) ?? ''}\n`);
  return hash.digest('hex').slice(0, TAG_LENGTH);
}
