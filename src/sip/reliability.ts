import { MAX_CSEQ } from './message.js';
import { parseDigits } from './numbers.js';
import { isToken } from './token.js';

/** Value of RAck: which provisional response a PRACK acknowledges (RFC 3262 §7.2). */
export interface RAck {
  readonly rseq: number;
  readonly cseq: number;
  readonly method: string;
}

const MAX_RSEQ = 2 ** 32 - 1;

/** response-num: 1..2^32-1 (RFC 3262 §7.1); undefined when malformed. */
export function parseRSeq(text: string): number | undefined {
  const rseq = parseDigits(text) ?? 0;
  return rseq >= 1 && rseq <= MAX_RSEQ ? rseq : undefined;
}

/** Parses `776656 1 INVITE` (RFC 3262 §7.2); undefined when malformed. */
export function parseRAck(text: string): RAck | undefined {
  const [rseqText = '', cseqText = '', method = '', ...rest] = text.split(/[ \t]+/);
  const rseq = parseRSeq(rseqText);
  const cseq = parseDigits(cseqText);
  if (rseq === undefined || cseq === undefined || cseq > MAX_CSEQ) return undefined;
  if (!isToken(method) || rest.length > 0) return undefined;
  return { rseq, cseq, method };
}
