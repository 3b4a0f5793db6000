import type { Clock, TimerHandle } from '../../platform/clock.js';
import type { Answer, Question, RecordType } from './dns-message.js';
import { DnsError } from './errors.js';
import type { ResolveCounters, ResolveLimits } from './limits.js';

export interface DnsCacheOptions {
  readonly clock: Clock;
  readonly limits: ResolveLimits;
  readonly counters: ResolveCounters;
  /** Asks DNS; rejects with DnsError when nobody answers. */
  readonly ask: (question: Question) => Promise<Answer>;
}

interface Entry {
  readonly answer: Answer;
  /** Monotonic; from then on it is stale. */
  expiresMs: number;
  readonly staleUntilMs: number;
}

/**
 * Answers of DNS for as long as they hold, "there is none" included (RFC 2308). Equal questions on their way are one. An
 * answer past its TTL is still used, for a bounded time, while DNS does not answer (RFC 8767).
 */
export class DnsCache {
  private readonly entries = new Map<string, Entry>();
  private readonly asking = new Map<string, Promise<Answer>>();

  constructor(private readonly options: DnsCacheOptions) {}

  get size(): number {
    return this.entries.size;
  }

  /** Rejects with DnsError. */
  lookup<T extends RecordType>(type: T, name: string): Promise<Answer<T>> {
    const key = `${type} ${name}`;
    const entry = this.entries.get(key);
    const nowMs = this.options.clock.monotonic();
    if (entry && entry.expiresMs > nowMs) {
      this.options.counters.cacheHits++;
      return Promise.resolve(entry.answer as Answer<T>);
    }
    const asked = this.asking.get(key) ?? this.ask(key, { type, name });
    const isUsable = entry && entry.staleUntilMs > nowMs;
    return (isUsable ? this.orStale(asked, entry) : asked) as Promise<Answer<T>>;
  }

  private ask(key: string, question: Question): Promise<Answer> {
    if (this.asking.size >= this.options.limits.maxQuestions)
      return Promise.reject(new DnsError('DNS_BUSY', 'too many questions under way'));
    const asked = this.options
      .ask(question)
      .then((answer) => this.keep(key, answer))
      .finally(() => this.asking.delete(key));
    this.asking.set(key, asked);
    return asked;
  }

  private keep(key: string, answer: Answer): Answer {
    const { clock, limits } = this.options;
    this.entries.delete(key);
    if (answer.ttlSec === 0) return answer;
    const expiresMs = clock.monotonic() + answer.ttlSec * 1000;
    const staleMs = answer.records.length > 0 ? limits.staleMs : 0;
    this.entries.set(key, { answer, expiresMs, staleUntilMs: expiresMs + staleMs });
    if (this.entries.size > limits.maxCacheEntries) this.entries.delete(this.entries.keys().next().value!);
    return answer;
  }

  /** RFC 8767 §5: the stale answer when the new one fails or is late; the question goes on meanwhile. */
  private async orStale(asked: Promise<Answer>, entry: Entry): Promise<Answer> {
    const { clock, counters, limits } = this.options;
    let timer: TimerHandle | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = clock.setTimeout(() => resolve(undefined), limits.staleDelayMs);
    });
    const answer = await Promise.race([asked.catch(() => undefined), late]);
    clock.clearTimeout(timer);
    if (answer) return answer;
    counters.staleAnswers++;
    entry.expiresMs = Math.min(entry.staleUntilMs, clock.monotonic() + limits.staleHoldMs);
    return entry.answer;
  }
}
