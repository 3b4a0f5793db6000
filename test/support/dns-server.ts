import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type Packet,
  TRUNCATED_RESPONSE,
} from 'dns-packet';

/** What a test's DNS server knows: records by `name TYPE`, e.g. `a.example A`. */
export type Zone = Record<string, readonly (Answer | RecordData)[]>;

type RecordData =
  | string
  | { priority: number; weight: number; port: number; target: string }
  | {
      order: number;
      preference: number;
      flags: string;
      services: string;
      regexp: string;
      replacement: string;
    };

export interface DnsServerOptions {
  /** Default 127.0.0.1. */
  address?: string;
  port?: number;
  zone?: Zone;
  ttlSec?: number;
}

/** A real DNS server on loopback, over UDP and TCP on one port. What it does not know it says does not exist. */
export class DnsServer {
  zone: Zone;
  ttlSec: number;
  /** Takes queries and says nothing. */
  isSilent = false;
  /** Answers over UDP are empty and marked truncated. */
  truncates = false;
  rcode: 'SERVFAIL' | undefined;
  /** SOA of answers without records: its TTL and minimum; none by default. */
  negative: { ttlSec: number; minimumSec: number } | undefined;
  /** Sent before each answer over UDP, made from it. */
  forge: ((answer: Packet) => Buffer[]) | undefined;
  /** `NAPTR a.example` and the like, in the order they were asked; those over TCP with `tcp ` in front. */
  readonly asked: string[] = [];

  private constructor(
    private readonly udp: Socket,
    private readonly tcp: Server,
    options: DnsServerOptions,
  ) {
    this.zone = options.zone ?? {};
    this.ttlSec = options.ttlSec ?? 60;
  }

  static async start(options: DnsServerOptions = {}): Promise<DnsServer> {
    const address = options.address ?? '127.0.0.1';
    const tcp = createServer();
    tcp.listen(options.port ?? 0, address);
    await once(tcp, 'listening');
    const { port } = tcp.address() as { port: number };
    const udp = createSocket('udp4');
    udp.bind(port, address);
    await once(udp, 'listening');
    const server = new DnsServer(udp, tcp, options);
    server.serve();
    return server;
  }

  /** `address:port`, as in DNS_SERVERS. */
  get name(): string {
    const { address, port } = this.udp.address();
    return `${address}:${port}`;
  }

  /** How often a question was asked. */
  count(question: string): number {
    return this.asked.filter((asked) => asked === question).length;
  }

  async close(): Promise<void> {
    const closed = Promise.all([once(this.udp, 'close'), once(this.tcp, 'close')]);
    this.udp.close();
    this.tcp.close();
    await closed;
  }

  private serve(): void {
    this.udp.on('message', (bytes, from) => {
      const answer = this.answer(bytes, '');
      if (!answer) return;
      const toSend = this.forge?.(answer) ?? [];
      const flags = (answer.flags ?? 0) | TRUNCATED_RESPONSE;
      toSend.push(encode(this.truncates ? { ...answer, answers: [], flags } : answer));
      for (const datagram of toSend) this.udp.send(datagram, from.port, from.address);
    });
    this.tcp.on('connection', (socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        const answer = this.answer(bytes.subarray(2), 'tcp ');
        if (!answer) return;
        const body = encode(answer);
        const length = Buffer.alloc(2);
        length.writeUInt16BE(body.length);
        // In two pieces: a reader must put them together.
        socket.write(Buffer.concat([length, body.subarray(0, 5)]));
        setImmediate(() => socket.end(body.subarray(5)));
      });
    });
  }

  private answer(bytes: Buffer, over: string): Packet | undefined {
    const { id, questions = [] } = decode(bytes);
    const { name, type } = questions[0]!;
    this.asked.push(`${over}${type} ${name}`);
    if (this.isSilent) return undefined;
    const known = this.zone[`${name} ${type}`];
    // RFC 8020: a name exists when any below it does.
    const exists = Object.keys(this.zone).some((key) => `.${key.split(' ')[0]}`.endsWith(`.${name}`));
    const rcode = this.rcode === 'SERVFAIL' ? 2 : exists ? 0 : 3;
    const answers = rcode === 0 ? (known ?? []).map((data) => this.record(name, type, data)) : [];
    const authorities = answers.length === 0 && this.negative ? [this.soa(name)] : [];
    const flags = AUTHORITATIVE_ANSWER | rcode;
    return { type: 'response', id: id ?? 0, flags, questions, answers, authorities };
  }

  private record(name: string, type: string, data: Answer | RecordData): Answer {
    if (typeof data === 'object' && 'type' in data) return { ttl: this.ttlSec, ...data } as Answer;
    return { name, type, ttl: this.ttlSec, data } as Answer;
  }

  private soa(name: string): Answer {
    const { ttlSec, minimumSec } = this.negative!;
    const data = { mname: 'ns.example', rname: 'root.example', serial: 1, refresh: 1, retry: 1, expire: 1 };
    return { name, type: 'SOA', ttl: ttlSec, data: { ...data, minimum: minimumSec } };
  }
}

/** An SRV record's data. */
export function srv(port: number, target: string, priority = 0, weight = 0): RecordData {
  return { priority, weight, port, target };
}

/** A NAPTR record's data, of the kind that leads to SRV records. */
export function naptr(order: number, preference: number, services: string, replacement: string): RecordData {
  return { order, preference, flags: 's', services, regexp: '', replacement };
}
