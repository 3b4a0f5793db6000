/** Bounds of looking up names. Times in milliseconds, TTLs in seconds. */
export interface ResolveLimits {
  /** For one server to answer the first time; doubled in the second round over the servers. */
  readonly queryTimeoutMs: number;
  /** For one question, all servers and rounds together. */
  readonly questionTimeoutMs: number;
  /** Servers that are asked; further ones are not. */
  readonly maxServers: number;
  /** How long a server that kept silent is asked after the others. */
  readonly serverPenaltyMs: number;
  /** How long no further question is asked when no server answered one. */
  readonly quietMs: number;
  /** Questions on their way at once; over it names cannot be resolved. */
  readonly maxQuestions: number;
  /** Answers kept; the oldest are forgotten first. */
  readonly maxCacheEntries: number;
  readonly maxTtlSec: number;
  /** RFC 2308 §5: bound of the SOA's word on how long "there is none" holds. */
  readonly maxNegativeTtlSec: number;
  /** The same where no SOA tells. */
  readonly defaultNegativeTtlSec: number;
  /** RFC 8767: how long an answer is kept beyond its TTL for when DNS does not answer. */
  readonly staleMs: number;
  /** RFC 8767 §5: how long a question may take before the stale answer is used. */
  readonly staleDelayMs: number;
  /** RFC 8767 §5: how long a stale answer then is used without asking again. */
  readonly staleHoldMs: number;
  /** Look-ups by the operating system at once; they share a few threads with the file system. */
  readonly maxSystemLookups: number;
  readonly systemLookupTimeoutMs: number;
  /** The operating system tells no TTL. */
  readonly systemTtlMs: number;
  readonly systemNegativeTtlMs: number;
  /** Next hops of one name that are used. */
  readonly maxHops: number;
  /** Targets remembered as unreachable. */
  readonly maxFailedTargets: number;
  /** How long a target that failed is tried after the others. */
  readonly failedTargetMs: number;
}

export const DEFAULT_RESOLVE_LIMITS: ResolveLimits = {
  queryTimeoutMs: 800,
  questionTimeoutMs: 3_000,
  maxServers: 4,
  serverPenaltyMs: 30_000,
  quietMs: 3_000,
  maxQuestions: 256,
  maxCacheEntries: 4_096,
  maxTtlSec: 86_400,
  maxNegativeTtlSec: 300,
  defaultNegativeTtlSec: 30,
  staleMs: 3_600_000,
  staleDelayMs: 1_000,
  staleHoldMs: 30_000,
  maxSystemLookups: 64,
  systemLookupTimeoutMs: 5_000,
  systemTtlMs: 30_000,
  systemNegativeTtlMs: 5_000,
  maxHops: 8,
  maxFailedTargets: 1_024,
  failedTargetMs: 30_000,
};

/** What look-ups count since start; the fields only grow. */
export interface ResolveCounters {
  /** Queries sent, each try counted. */
  queries: number;
  /** Queries that no answer came to in time. */
  queryTimeouts: number;
  /** Datagrams that looked like an answer and were not. */
  forgedAnswers: number;
  truncatedAnswers: number;
  cacheHits: number;
  staleAnswers: number;
  systemLookups: number;
}

export function createResolveCounters(): ResolveCounters {
  return {
    queries: 0,
    queryTimeouts: 0,
    forgedAnswers: 0,
    truncatedAnswers: 0,
    cacheHits: 0,
    staleAnswers: 0,
    systemLookups: 0,
  };
}
