import { isIP } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import { parseHostPort } from '../../sip/host.js';
import { askOverTcp, askOverUdp, type DnsServer, type ExchangeOptions } from './dns-exchange.js';
import { type Answer, createQuery, type Question, readAnswer } from './dns-message.js';
import { DnsError } from './errors.js';
import type { ResolveCounters, ResolveLimits } from './limits.js';

const DNS_PORT = 53;
/** Times that each server is asked before a question counts as unanswered. */
const ROUNDS = 2;

export interface DnsClientOptions {
  readonly clock: Clock;
  readonly limits: ResolveLimits;
  readonly counters: ResolveCounters;
  /** `address`, `address:port` or `[ipv6]:port`, in the order they are asked; read for each question. */
  readonly servers: () => readonly string[];
}

/** A stub resolver: asks the servers of this machine one after another until one knows (RFC 1035 §7.2). */
export class DnsClient {
  /** Servers that kept silent, and until when they are asked last. */
  private readonly silent = new Map<string, number>();
  private quietUntilMs = 0;
  private readonly closing = new AbortController();

  constructor(private readonly options: DnsClientOptions) {}

  /** What DNS says. Rejects with DnsError when no server answers, or none of them knows. */
  async ask(question: Question): Promise<Answer> {
    const { clock, limits } = this.options;
    const startMs = clock.monotonic();
    if (startMs < this.quietUntilMs) throw new DnsError('DNS_NO_ANSWER', 'no DNS server answered lately');
    let failure = new DnsError('DNS_NO_ANSWER', 'there is no DNS server');
    for (let round = 1; round <= ROUNDS; round++)
      for (const server of this.servers()) {
        const leftMs = startMs + limits.questionTimeoutMs - clock.monotonic();
        if (leftMs <= 0 || this.closing.signal.aborted) throw this.unanswered(failure);
        try {
          return await this.askServer(server, question, Math.min(leftMs, round * limits.queryTimeoutMs));
        } catch (error) {
          if (!(error instanceof DnsError)) throw error;
          failure = error;
        }
      }
    throw this.unanswered(failure);
  }

  /** Gives up what is on its way. */
  close(): void {
    this.closing.abort();
  }

  /** While all are silent, other questions do not wait for them either. */
  private unanswered(failure: DnsError): DnsError {
    if (failure.code === 'DNS_NO_ANSWER')
      this.quietUntilMs = this.options.clock.monotonic() + this.options.limits.quietMs;
    return failure;
  }

  private async askServer(server: DnsServer, question: Question, timeoutMs: number): Promise<Answer> {
    const { clock, counters, limits } = this.options;
    const exchange: ExchangeOptions = { clock, counters, timeoutMs, signal: this.closing.signal };
    const key = keyOf(server);
    try {
      const query = createQuery(question);
      let reply = await askOverUdp(query, server, exchange);
      if (reply.flag_tc) {
        // RFC 7766 §5
        counters.truncatedAnswers++;
        reply = await askOverTcp(query, server, exchange);
      }
      this.silent.delete(key);
      return readAnswer(reply, question, limits);
    } catch (error) {
      if (error instanceof DnsError && error.code === 'DNS_NO_ANSWER')
        this.silent.set(key, clock.monotonic() + limits.serverPenaltyMs);
      throw error;
    }
  }

  /** Those that answered lately first. */
  private servers(): DnsServer[] {
    const nowMs = this.options.clock.monotonic();
    for (const [key, untilMs] of this.silent) if (untilMs <= nowMs) this.silent.delete(key);
    const all = this.options.servers().flatMap((text) => parseDnsServer(text) ?? []);
    const isSilent = (server: DnsServer): number => (this.silent.has(keyOf(server)) ? 1 : 0);
    return all.slice(0, this.options.limits.maxServers).sort((a, b) => isSilent(a) - isSilent(b));
  }
}

/** An address with or without a port, IPv6 in brackets when there is one; undefined for anything else. */
export function parseDnsServer(text: string): DnsServer | undefined {
  if (isIP(text) > 0) return { address: text, port: DNS_PORT };
  const at = parseHostPort(text);
  return at && isIP(at.host) > 0 ? { address: at.host, port: at.port ?? DNS_PORT } : undefined;
}

function keyOf({ address, port }: DnsServer): string {
  return `${address} ${port}`;
}
