import ipaddr from 'ipaddr.js';

/** What is put around a payload. */
export interface PacketParts {
  /** `address:port`, IPv6 in brackets. */
  readonly from: string;
  readonly to: string;
  readonly protocol: 'udp' | 'tcp';
  /** Of TCP: number of the first octet, and of the next one that is expected. */
  readonly sequence: number;
  readonly acknowledged: number;
  readonly payload: Buffer;
}

const NUMBERS = { tcp: 6, udp: 17 };
const HOPS = 64;
const PUSH_ACK = 0x18;
const WINDOW = 65_535;

/** An IP packet with one UDP datagram or TCP segment in it, its checksums right. */
export function ipPacket(parts: PacketParts): Buffer {
  const [from, to] = [parseEnd(parts.from), parseEnd(parts.to)];
  const isIpv6 = from.address.length === 16 || to.address.length === 16;
  const [source, target] = isIpv6 ? [mapped(from.address), mapped(to.address)] : [from.address, to.address];
  const number = NUMBERS[parts.protocol];
  const segment = parts.protocol === 'udp' ? udp(parts, from, to) : tcp(parts, from, to);
  const pseudo = pseudoHeader(source, target, number, segment.length);
  const sum = checksum(Buffer.concat([pseudo, segment]));
  // Of UDP, none at all would be 0.
  segment.writeUInt16BE(parts.protocol === 'udp' ? sum || 0xffff : sum, parts.protocol === 'udp' ? 6 : 16);
  const header = isIpv6
    ? ipv6Header(source, target, number, segment.length)
    : ipv4Header(source, target, number, segment.length);
  return Buffer.concat([header, segment]);
}

interface End {
  readonly address: Buffer;
  readonly port: number;
}

/** A text that is no address becomes 0.0.0.0: the message is worth more than its address. */
function parseEnd(text: string): End {
  const [, bracketed, plain, port = '0'] = /^(?:\[([^\]%]*)[^\]]*\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const bytes = ipaddr.isValid(address) ? ipaddr.process(address).toByteArray() : [0, 0, 0, 0];
  return { address: Buffer.from(bytes), port: Number(port) & 0xffff };
}

/** An IPv4 address among IPv6 ones. */
function mapped(address: Buffer): Buffer {
  return address.length === 16
    ? address
    : Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), address]);
}

function udp({ payload }: PacketParts, from: End, to: End): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt16BE(8 + payload.length, 4);
  return Buffer.concat([header, payload]);
}

function tcp({ payload, sequence, acknowledged }: PacketParts, from: End, to: End): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt16BE(from.port, 0);
  header.writeUInt16BE(to.port, 2);
  header.writeUInt32BE(sequence, 4);
  header.writeUInt32BE(acknowledged, 8);
  header.writeUInt8(5 << 4, 12);
  header.writeUInt8(PUSH_ACK, 13);
  header.writeUInt16BE(WINDOW, 14);
  return Buffer.concat([header, payload]);
}

function ipv4Header(source: Buffer, target: Buffer, protocol: number, length: number): Buffer {
  const header = Buffer.alloc(20);
  header.writeUInt8(0x45, 0);
  header.writeUInt16BE(20 + length, 2);
  header.writeUInt8(HOPS, 8);
  header.writeUInt8(protocol, 9);
  source.copy(header, 12);
  target.copy(header, 16);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

function ipv6Header(source: Buffer, target: Buffer, protocol: number, length: number): Buffer {
  const header = Buffer.alloc(40);
  header.writeUInt32BE(0x60000000, 0);
  header.writeUInt16BE(length, 4);
  header.writeUInt8(protocol, 6);
  header.writeUInt8(HOPS, 7);
  source.copy(header, 8);
  target.copy(header, 24);
  return header;
}

/** What a checksum covers beside the segment itself. */
function pseudoHeader(source: Buffer, target: Buffer, protocol: number, length: number): Buffer {
  const rest = Buffer.alloc(8);
  rest.writeUInt32BE(length, 0);
  rest.writeUInt32BE(protocol, 4);
  return Buffer.concat([source, target, rest]);
}

/** The ones' complement of the ones' complement sum of all 16-bit words. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let i = 0; i + 1 < bytes.length; i += 2) sum += bytes.readUInt16BE(i);
  if (bytes.length % 2 === 1) sum += bytes[bytes.length - 1]! << 8;
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}
