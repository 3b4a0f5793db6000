/** Bounds of one transaction layer. */
export interface TransactionLimits {
  /** Server transactions, those that only absorb retransmissions included; over it new requests get a 503. */
  readonly maxServerTransactions: number;
  /** Further ones for requests of dialogs that are there, and for CANCEL: a flood must not keep calls from ending. */
  readonly reservedServerTransactions: number;
  /** Client transactions, likewise; over it `createClient` throws. */
  readonly maxClientTransactions: number;
  /** INVITEs with a final response over 299 that wait for their ACK; over it the oldest are forgotten. */
  readonly maxUnacknowledgedRefusals: number;
  /** Of these, those of one source whose response is repeated until the ACK comes; others get it once. */
  readonly repeatedRefusalsPerSource: number;
  /** Other requests refused in the last 64*T1; over it the oldest are forgotten, and answered anew if they come again. */
  readonly maxRefusedRequests: number;
  /** 503s sent in a second for want of room; over it requests are dropped. */
  readonly maxOverloadResponsesPerSecond: number;
}

/** Each stays up to 32 s after its end (timers D, H, J, L, M), so this is some 1,500 calls a second. */
export const DEFAULT_TRANSACTION_LIMITS: TransactionLimits = {
  maxServerTransactions: 100_000,
  reservedServerTransactions: 25_000,
  maxClientTransactions: 100_000,
  maxUnacknowledgedRefusals: 2_000,
  repeatedRefusalsPerSource: 32,
  maxRefusedRequests: 10_000,
  maxOverloadResponsesPerSecond: 2_000,
};

/** Least and most of Retry-After in the 503 sent over a limit or in an overload: not all are to come back at once. Seconds. */
export const OVERLOAD_RETRY_AFTER_SEC = { min: 5, max: 15 };
