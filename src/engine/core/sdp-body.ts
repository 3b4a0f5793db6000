/** True when a body starts like a session description (RFC 4566 §5.1). */
export function isSdp(body: string): boolean {
  return body.startsWith('v=0') && body.length > 3;
}
