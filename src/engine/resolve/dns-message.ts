import { randomInt } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { DnsError } from './errors.js';
import type { ResolveLimits } from './limits.js';

export type RecordType = 'A' | 'AAAA' | 'SRV' | 'NAPTR';

/** What a DNS server is asked. The name is in lower case, without its last dot. */
export interface Question<T extends RecordType = RecordType> {
  readonly type: T;
  readonly name: string;
}

/** RFC 2782. */
export interface SrvRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** `.` when the service is decidedly not available. */
  readonly target: string;
}

/** RFC 3403 §4.1. */
export interface NaptrRecord {
  readonly order: number;
  readonly preference: number;
  readonly flags: string;
  readonly services: string;
  readonly regexp: string;
  readonly replacement: string;
}

export type RecordOf<T extends RecordType> = T extends 'SRV'
  ? SrvRecord
  : T extends 'NAPTR'
    ? NaptrRecord
    : string;

/** What DNS says to a question; without records there are none of that type. */
export interface Answer<T extends RecordType = RecordType> {
  readonly records: readonly RecordOf<T>[];
  /** How long this holds, bounded; 0: for this one use. */
  readonly ttlSec: number;
  /** False when the name does not exist at all, nor any below it (RFC 8020). */
  readonly exists: boolean;
}

/** A question as it goes to one server. */
export interface Query {
  readonly id: number;
  readonly question: Question;
  readonly bytes: Buffer;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*$/;
/** Records of one answer that are looked at. */
const MAX_RECORDS = 64;
/** CNAMEs that are followed within an answer. */
const MAX_ALIASES = 8;

/** A name as it is asked for; undefined when it can be none (RFC 1035 §2.3.4). */
export function toDnsName(text: string): string | undefined {
  const name = text.replace(/\.$/, '').toLowerCase();
  return NAME.test(name) ? name : undefined;
}

/** A query with an id that cannot be guessed (RFC 5452 §9.2). */
export function createQuery(question: Question): Query {
  const id = randomInt(0x10000);
  const { type, name } = question;
  const bytes = encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ type, name }] });
  return { id, question, bytes };
}

/** The message when it answers that very query (RFC 5452 §9.1), else undefined. */
export function matchReply(bytes: Buffer, query: Query): DecodedPacket | undefined {
  const reply = tryDecode(bytes);
  const asked = reply?.questions?.[0];
  if (!reply?.flag_qr || reply.id !== query.id || reply.questions?.length !== 1 || !asked) return undefined;
  const { type, name } = query.question;
  const isSame = asked.type === type && asked.class === 'IN' && asked.name.toLowerCase() === name;
  return isSame ? reply : undefined;
}

function tryDecode(bytes: Buffer): DecodedPacket | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}

/** What a reply says. Throws DnsError `DNS_SERVER_FAILURE` when its server does not know. */
export function readAnswer(reply: DecodedPacket, question: Question, limits: ResolveLimits): Answer {
  const { rcode } = reply as DecodedPacket & { rcode: string };
  if (rcode !== 'NOERROR' && rcode !== 'NXDOMAIN')
    throw new DnsError('DNS_SERVER_FAILURE', `${question.type} ${question.name}: ${rcode}`);
  const found = collect(reply, question);
  if (found.records.length > 0)
    return { records: found.records, ttlSec: bounded(found.ttlSec, limits.maxTtlSec), exists: true };
  return { records: [], ttlSec: negativeTtl(reply, limits), exists: rcode === 'NOERROR' };
}

/** The records of the name or of what it is an alias for; other names in the answer are nobody's concern. */
function collect(reply: DecodedPacket, question: Question): { records: never[]; ttlSec: number } {
  const answers = (reply.answers ?? []).slice(0, MAX_RECORDS);
  let { name } = question;
  let ttlSec = Number.POSITIVE_INFINITY;
  const records: unknown[] = [];
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    let alias: string | undefined;
    for (const answer of answers) {
      if (!('data' in answer) || answer.name.toLowerCase() !== name) continue;
      if (answer.type !== question.type && answer.type !== 'CNAME') continue;
      ttlSec = Math.min(ttlSec, answer.ttl ?? 0);
      const record = answer.type === 'CNAME' ? undefined : readRecord(question.type, answer.data);
      if (record !== undefined) records.push(record);
      if (answer.type === 'CNAME') alias = answer.data.toLowerCase();
    }
    if (records.length > 0 || alias === undefined) break;
    name = alias;
  }
  return { records: records as never[], ttlSec };
}

function readRecord(type: RecordType, data: unknown): unknown {
  if (type === 'A') return typeof data === 'string' && isIPv4(data) ? data : undefined;
  if (type === 'AAAA') return typeof data === 'string' && isIPv6(data) ? data : undefined;
  return data;
}

/** RFC 2308 §5: the lesser of the SOA's TTL and its minimum. */
function negativeTtl(reply: DecodedPacket, limits: ResolveLimits): number {
  for (const { type, ...rest } of reply.authorities ?? []) {
    if (type !== 'SOA' || !('data' in rest)) continue;
    const { minimum = 0 } = rest.data as { minimum?: number };
    return bounded(Math.min(rest.ttl ?? 0, minimum), limits.maxNegativeTtlSec);
  }
  return limits.defaultNegativeTtlSec;
}

/** RFC 2181 §8: a TTL with its highest bit set is none. */
function bounded(ttlSec: number, maxSec: number): number {
  return ttlSec < 0 || ttlSec >= 2 ** 31 ? 0 : Math.min(ttlSec, maxSec);
}
