import type { SipRequest } from '../../sip/message.js';

const LF = 0x0a;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;

/**
 * The octets of a received request with the first Via line written anew from `request.headers`, where the transport
 * filled in `received` and `rport` (RFC 3261 §18.2.1, RFC 3581 §4); all else is as received. Parts share memory with
 * `request.raw`.
 */
export function withTopVia(request: SipRequest, raw: Buffer): Buffer[] {
  const via = request.get('via');
  const line = via === undefined ? undefined : findViaLine(raw);
  if (!line) return [raw];
  return [raw.subarray(0, line.start), Buffer.from(`Via: ${via}\r\n`, 'latin1'), raw.subarray(line.end)];
}

/** From the V to behind the line's end, continuation lines included. */
function findViaLine(raw: Buffer): { start: number; end: number } | undefined {
  let start = raw.indexOf(LF) + 1;
  while (start > 0 && start < raw.length) {
    let end = raw.indexOf(LF, start) + 1;
    while (end > 0 && (raw[end] === SPACE || raw[end] === TAB)) end = raw.indexOf(LF, end) + 1;
    if (end <= 0) return undefined;
    if (isViaAt(raw, start)) return { start, end };
    if (end - start <= 2) return undefined;
    start = end;
  }
  return undefined;
}

function isViaAt(raw: Buffer, at: number): boolean {
  const lower = (offset: number) => (raw[at + offset] ?? 0) | 0x20;
  if (lower(0) !== 0x76) return false;
  let next = at + 1;
  if (lower(1) === 0x69 && lower(2) === 0x61) next = at + 3;
  while (raw[next] === SPACE || raw[next] === TAB) next++;
  return raw[next] === COLON;
}
