const SDP_START = Buffer.from('v=0', 'latin1');

/** True when the octets start like a session description (RFC 4566 §5.1). */
export function isSdp(body: Buffer): boolean {
  return body.length > 3 && body.compare(SDP_START, 0, 3, 0, 3) === 0;
}
