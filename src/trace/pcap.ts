import { ipPacket } from './ip-packet.js';
import type { WireMessage } from './types.js';

const MAGIC = 0xa1b2c3d4;
const MAX_PACKET = 262_144;
/** LINKTYPE_RAW: packets begin with their IP header. */
const LINK_TYPE = 101;

/**
 * SIP messages as a capture file that Wireshark, tshark and sngrep read (libpcap 2.4, IP packets made anew around each
 * message). What came over TCP stands in TCP segments; what came over TLS or WebSocket was in clear only here, and stands in
 * UDP datagrams. Piece by piece: header first, then a piece for each message.
 */
export function* pcapFile(messages: Iterable<WireMessage>): Generator<Uint8Array> {
  yield fileHeader();
  const sent = new Map<string, number>();
  for (const message of messages) {
    const payload = Buffer.from(withTrueLength(message.text), 'latin1');
    const [from, to] = message.sent ? [message.local, message.peer] : [message.peer, message.local];
    const protocol = message.protocol === 'tcp' ? 'tcp' : 'udp';
    const sequence = sent.get(`${from} ${to}`) ?? 1;
    const acknowledged = sent.get(`${to} ${from}`) ?? 1;
    sent.set(`${from} ${to}`, (sequence + payload.length) >>> 0);
    const packet = ipPacket({ from, to, protocol, sequence, acknowledged, payload });
    yield Buffer.concat([recordHeader(message.at, packet.length), packet]);
  }
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(MAX_PACKET, 16);
  header.writeUInt32LE(LINK_TYPE, 20);
  return header;
}

function recordHeader(at: number, length: number): Buffer {
  const header = Buffer.alloc(16);
  const micros = Math.round(at * 1000);
  header.writeUInt32LE(Math.floor(micros / 1e6), 0);
  header.writeUInt32LE(micros % 1e6, 4);
  header.writeUInt32LE(length, 8);
  header.writeUInt32LE(length, 12);
  return header;
}

/** A body that was masked or cut is not as long as its header says, and readers of a stream would wait for the rest. */
function withTrueLength(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return text;
  const length = text.length - end - 4;
  const head = text.slice(0, end).replace(/^(content-length|l)([ \t]*:[ \t]*)\d+/im, `$1$2${length}`);
  return head + text.slice(end);
}
