/** Bytes of an RTP header without sources and extension (RFC 3550 §5.1). */
export const RTP_HEADER_BYTES = 12;

/** What of a received packet is looked at. */
export interface RtpPacket {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly sequence: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly payload: Buffer;
}

/** Reads an RTP packet (RFC 3550 §5.1); undefined when it is none. */
export function readRtp(packet: Buffer): RtpPacket | undefined {
  if (packet.length < RTP_HEADER_BYTES || packet[0]! >> 6 !== 2) return undefined;
  const payloadType = packet[1]! & 0x7f;
  // RFC 5761 §4: these would be RTCP packet types.
  if (payloadType >= 64 && payloadType <= 95) return undefined;
  let start = RTP_HEADER_BYTES + (packet[0]! & 0x0f) * 4;
  if (packet[0]! & 0x10) {
    if (packet.length < start + 4) return undefined;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  const padding = packet[0]! & 0x20 ? packet.at(-1)! : 0;
  const end = packet.length - padding;
  if (start > end) return undefined;
  return {
    payloadType,
    marker: (packet[1]! & 0x80) !== 0,
    sequence: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    payload: packet.subarray(start, end),
  };
}

/** Writes a header into the first bytes of `packet` (RFC 3550 §5.1). */
export function writeRtpHeader(packet: Buffer, header: Omit<RtpPacket, 'payload'>): void {
  packet[0] = 0x80;
  packet[1] = (header.marker ? 0x80 : 0) | header.payloadType;
  packet.writeUInt16BE(header.sequence & 0xffff, 2);
  packet.writeUInt32BE(header.timestamp >>> 0, 4);
  packet.writeUInt32BE(header.ssrc >>> 0, 8);
}
