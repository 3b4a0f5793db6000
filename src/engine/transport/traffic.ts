import type { Protocol } from '../types.js';

/** Methods with a count of their own; others share one, since a peer may invent as many as it likes. */
const METHODS =
  'INVITE ACK BYE CANCEL REGISTER OPTIONS MESSAGE INFO UPDATE PRACK SUBSCRIBE NOTIFY PUBLISH REFER'.split(
    ' ',
  );
const OTHER = 'other';
const SPACE = 0x20;
const ZERO = 0x30;
/** Where the first digit of a status code stands: `SIP/2.0 200`. */
const STATUS_AT = 8;

/** Counts by method and status class (`2xx`); those that are 0 are left out. */
export type TrafficCounts = Readonly<Record<string, number>>;

/** Messages by transport and direction, retransmissions included; transports without any are left out. */
export type TrafficStats = Readonly<
  Record<string, { readonly received: TrafficCounts; readonly sent: TrafficCounts }>
>;

interface Count {
  value: number;
}

/** One direction of one transport. */
class Direction {
  private readonly requests = new Map<string, Count>([...METHODS, OTHER].map((name) => [name, { value: 0 }]));
  private readonly other = this.requests.get(OTHER)!;
  private readonly classes = [0, 0, 0, 0, 0, 0, 0];

  request(method: string): void {
    (this.requests.get(method) ?? this.other).value++;
  }

  response(statusClass: number): void {
    if (statusClass >= 1 && statusClass <= 6) this.classes[statusClass]!++;
  }

  counts(): TrafficCounts {
    const all = [...this.requests].map(([name, { value }]) => [name, value] as const);
    const responses = this.classes.map((value, i) => [`${i}xx`, value] as const);
    return Object.fromEntries([...all, ...responses].filter(([, value]) => value > 0));
  }
}

class ProtocolTraffic {
  readonly received = new Direction();
  readonly sent = new Direction();
}

/** Counts messages by transport, direction, method and status class; nothing is allocated for a message received. */
export class Traffic {
  private readonly byProtocol: Record<Protocol, ProtocolTraffic> = {
    udp: new ProtocolTraffic(),
    tcp: new ProtocolTraffic(),
    tls: new ProtocolTraffic(),
    ws: new ProtocolTraffic(),
    wss: new ProtocolTraffic(),
  };

  receivedRequest(protocol: Protocol, method: string): void {
    this.byProtocol[protocol].received.request(method);
  }

  receivedResponse(protocol: Protocol, statusCode: number): void {
    this.byProtocol[protocol].received.response(Math.trunc(statusCode / 100));
  }

  sentRequest(protocol: Protocol, bytes: Buffer): void {
    this.byProtocol[protocol].sent.request(bytes.toString('latin1', 0, bytes.indexOf(SPACE)));
  }

  sentResponse(protocol: Protocol, bytes: Buffer): void {
    this.byProtocol[protocol].sent.response((bytes[STATUS_AT] ?? ZERO) - ZERO);
  }

  stats(): TrafficStats {
    const stats: Record<string, { received: TrafficCounts; sent: TrafficCounts }> = {};
    for (const [protocol, traffic] of Object.entries(this.byProtocol)) {
      const [received, sent] = [traffic.received.counts(), traffic.sent.counts()];
      if (Object.keys(received).length + Object.keys(sent).length > 0) stats[protocol] = { received, sent };
    }
    return stats;
  }
}
