import { canonicalKey } from './header-names.js';
import { type NameAddr, parseNameAddr } from './name-addr.js';
import { parseDigits } from './numbers.js';
import { splitList } from './split.js';
import { isSpaceCode, isToken, skipSpace } from './token.js';
import { parseUri, type SipUri } from './uri.js';
import { parseVia, type Via } from './via.js';

/**
 * One header field line. Text is kept byte for byte: messages are read as latin1 (a char is a byte), so writing them
 * as latin1 restores what came in. Whoever shows text to people decodes it as UTF-8 (RFC 3261 §7.3, §25.1).
 */
export interface HeaderField {
  /** As spelled by the sender. */
  readonly name: string;
  /** Full name in lower case, compact forms expanded (RFC 3261 §7.3.3). */
  readonly key: string;
  /** Unfolded, without surrounding white space. */
  readonly value: string;
}

/** Largest CSeq number (RFC 3261 §8.1.1.5). */
export const MAX_CSEQ = 2 ** 31 - 1;

export interface CSeq {
  readonly seq: number;
  readonly method: string;
}

/** The one white space between number and method may be longer, and zeros may lead (RFC 4475 §3.1.1.1). */
function parseCseq(text: string): CSeq | undefined {
  let space = 0;
  while (space < text.length && !isSpaceCode(text.charCodeAt(space))) space++;
  const seq = parseDigits(text.substring(0, space));
  const method = text.substring(skipSpace(text, space));
  return seq !== undefined && seq <= MAX_CSEQ && isToken(method) ? { seq, method } : undefined;
}

const NO_OCTETS = Buffer.alloc(0);

/** What requests and responses have in common: header fields in order, and a body of octets (RFC 3261 §7). */
abstract class Message {
  readonly headers: HeaderField[] = [];
  /** The body, a char for each octet (RFC 3261 §7.4.2). */
  bodyText = '';
  /**
   * The whole message as it was on the wire, a char for each octet: set by the parser for what came in, by the
   * transaction layer for what it sent. Header fields changed afterwards do not show in it. Undefined when lines came in
   * with LF for CRLF.
   */
  wireText: string | undefined = undefined;

  private parsedVia: Via | undefined;
  private parsedFrom: NameAddr | undefined;
  private parsedTo: NameAddr | undefined;
  private parsedCseq: CSeq | undefined;

  /** Octets of the body, a copy. */
  get body(): Buffer {
    return this.bodyText === '' ? NO_OCTETS : Buffer.from(this.bodyText, 'latin1');
  }

  set body(octets: Buffer) {
    this.bodyText = octets.toString('latin1');
  }

  /** First value of the field `key` (full lower-case name); undefined when there is none. */
  get(key: string): string | undefined {
    for (const field of this.headers) if (field.key === key) return field.value;
    return undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Each field's whole value, in order; not split at commas. */
  getAll(key: string): string[] {
    const values: string[] = [];
    for (const field of this.headers) if (field.key === key) values.push(field.value);
    return values;
  }

  /** The elements of a comma-separated header over all its fields (RFC 3261 §7.3.1); commas in quotes and <> are kept. */
  list(key: string): string[] {
    const items: string[] = [];
    for (const field of this.headers)
      if (field.key === key) for (const item of splitList(field.value)) items.push(item);
    return items;
  }

  /** Adds a field at the end. */
  append(name: string, value: string): this {
    const key = canonicalKey(name);
    this.headers.push({ name, key, value });
    this.forget(key);
    return this;
  }

  /** Adds a field before the first of the same name, or at the top. */
  prepend(name: string, value: string): this {
    const key = canonicalKey(name);
    const at = this.headers.findIndex((field) => field.key === key);
    this.headers.splice(Math.max(at, 0), 0, { name, key, value });
    this.forget(key);
    return this;
  }

  /** Replaces the first field of that name in place and drops the others; adds one at the end when there is none. */
  set(name: string, value: string): this {
    const key = canonicalKey(name);
    const at = this.headers.findIndex((field) => field.key === key);
    if (at < 0) return this.append(name, value);
    this.headers[at] = { name, key, value };
    for (let i = this.headers.length - 1; i > at; i--)
      if (this.headers[i]!.key === key) this.headers.splice(i, 1);
    this.forget(key);
    return this;
  }

  /** Removes every field of that name. */
  remove(key: string): this {
    for (let i = this.headers.length - 1; i >= 0; i--)
      if (this.headers[i]!.key === key) this.headers.splice(i, 1);
    this.forget(key);
    return this;
  }

  /** Removes the first element of a comma-separated header, and its field when that was the only one. */
  removeFirst(key: string): this {
    const at = this.headers.findIndex((field) => field.key === key);
    if (at < 0) return this;
    const field = this.headers[at]!;
    const rest = splitList(field.value).slice(1);
    if (rest.length > 0) this.headers[at] = { ...field, value: rest.join(', ') };
    else this.headers.splice(at, 1);
    this.forget(key);
    return this;
  }

  /** Topmost Via, parsed once; undefined when missing or malformed (RFC 3261 §20.42). */
  get topVia(): Via | undefined {
    if (!this.parsedVia) {
      const first = this.get('via');
      this.parsedVia = first === undefined ? undefined : parseVia(splitList(first)[0] ?? '');
    }
    return this.parsedVia;
  }

  get from(): NameAddr | undefined {
    this.parsedFrom ??= parseNameAddr(this.get('from') ?? '');
    return this.parsedFrom;
  }

  get to(): NameAddr | undefined {
    this.parsedTo ??= parseNameAddr(this.get('to') ?? '');
    return this.parsedTo;
  }

  get fromTag(): string | undefined {
    return this.from?.params.get('tag') || undefined;
  }

  get toTag(): string | undefined {
    return this.to?.params.get('tag') || undefined;
  }

  get callId(): string | undefined {
    return this.get('call-id');
  }

  /** CSeq, undefined when missing or malformed; the number is 0..2^31-1 (RFC 3261 §8.1.1.5). */
  get cseq(): CSeq | undefined {
    this.parsedCseq ??= parseCseq(this.get('cseq') ?? '');
    return this.parsedCseq;
  }

  private forget(key: string): void {
    if (key === 'via') this.parsedVia = undefined;
    else if (key === 'from') this.parsedFrom = undefined;
    else if (key === 'to') this.parsedTo = undefined;
    else if (key === 'cseq') this.parsedCseq = undefined;
  }
}

/** A request (RFC 3261 §7.1). Methods are case-sensitive tokens. */
export class SipRequest extends Message {
  readonly type = 'request';

  private parsedUri: { readonly text: string; readonly uri: SipUri | undefined } | undefined;

  constructor(
    readonly method: string,
    public requestUri: string,
  ) {
    super();
  }

  /** Request-URI, parsed once; undefined when malformed or not sip:, sips: or tel:. */
  get uri(): SipUri | undefined {
    const text = this.requestUri;
    if (this.parsedUri?.text !== text) this.parsedUri = { text, uri: parseUri(text) };
    return this.parsedUri.uri;
  }
}

/** A response (RFC 3261 §7.2). */
export class SipResponse extends Message {
  readonly type = 'response';

  constructor(
    readonly statusCode: number,
    readonly reasonPhrase: string,
  ) {
    super();
  }
}

export type SipMessage = SipRequest | SipResponse;
