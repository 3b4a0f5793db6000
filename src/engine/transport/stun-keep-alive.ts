import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** RFC 5389 §6 */
const HEADER_BYTES = 20;
const MAGIC_COOKIE = 0x2112a442;
const BINDING_REQUEST = 0x0001;
const BINDING_RESPONSE = 0x0101;
/** RFC 5389 §15.2 */
const XOR_MAPPED_ADDRESS = 0x0020;
const FAMILY_IPV4 = 1;
const FAMILY_IPV6 = 2;
/** A keep-alive carries next to nothing (RFC 5626 §8); larger ones get no answer. */
const MAX_REQUEST_BYTES = 256;

/**
 * The answer to a STUN Binding request, by which a phone keeps its NAT's hole open and learns whether its address is
 * still the same (RFC 5626 §3.5.2, RFC 5626 §8); undefined for anything else. Costs no state.
 */
export function stunResponse(request: Buffer, address: string, port: number): Buffer | undefined {
  if (!isBindingRequest(request)) return undefined;
  const mapped = isIPv4(address) ? [FAMILY_IPV4, 4] : [FAMILY_IPV6, 16];
  const [family = 0, octets = 0] = mapped;
  const response = Buffer.alloc(HEADER_BYTES + 8 + octets);
  response.writeUInt16BE(BINDING_RESPONSE, 0);
  response.writeUInt16BE(8 + octets, 2);
  // Cookie and transaction id.
  request.copy(response, 4, 4, HEADER_BYTES);
  response.writeUInt16BE(XOR_MAPPED_ADDRESS, 20);
  response.writeUInt16BE(4 + octets, 22);
  response.writeUInt8(family, 25);
  response.writeUInt16BE(port ^ (MAGIC_COOKIE >>> 16), 26);
  const bytes = ipaddr.parse(address.replace(/%.*/, '')).toByteArray();
  for (let at = 0; at < octets; at++) response[28 + at] = bytes[at]! ^ request[4 + at]!;
  return response;
}

function isBindingRequest(bytes: Buffer): boolean {
  return (
    bytes.length >= HEADER_BYTES &&
    bytes.length <= MAX_REQUEST_BYTES &&
    bytes.readUInt16BE(0) === BINDING_REQUEST &&
    bytes.readUInt32BE(4) === MAGIC_COOKIE &&
    bytes.readUInt16BE(2) === bytes.length - HEADER_BYTES
  );
}
