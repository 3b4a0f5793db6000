import { formatHost, parseHostPort, parsePort, withoutBrackets } from './host.js';
import { parseDigits } from './numbers.js';
import { formatParams, type Params, parseParams } from './params.js';
import { isToken, skipSpace, trimmed } from './token.js';

/** Start of every branch made by an element that obeys RFC 3261 §8.1.1.7. */
export const MAGIC_COOKIE = 'z9hG4bK';

/** One Via value (RFC 3261 §20.42, RFC 3581). */
export class Via {
  constructor(
    /** Transport of sent-protocol in upper case: UDP, TCP, TLS, WS, WSS, … */
    public protocol: string,
    /** Host of sent-by, IPv6 without brackets. */
    public host: string,
    /** Port of sent-by; undefined when not written. */
    public port: number | undefined,
    /** Keys in lower case, values as written. */
    readonly params: Params,
  ) {}

  get branch(): string | undefined {
    return this.params.get('branch') || undefined;
  }

  /** Address the request came from, brackets taken off (RFC 3261 §18.2.1). */
  get received(): string | undefined {
    const received = this.params.get('received');
    return received ? withoutBrackets(received) : undefined;
  }

  /** Whether the client asked for symmetric responses, with or without a value yet (RFC 3581 §3). */
  get hasRport(): boolean {
    return this.params.has('rport');
  }

  /** Value of rport; undefined when absent, empty or no port (RFC 3581 §4). */
  get rport(): number | undefined {
    return parsePort(this.params.get('rport') ?? '');
  }

  get maddr(): string | undefined {
    const maddr = this.params.get('maddr');
    return maddr ? withoutBrackets(maddr) : undefined;
  }

  /** 0..255; undefined when absent or malformed (RFC 3261 §25.1). */
  get ttl(): number | undefined {
    const ttl = parseDigits(this.params.get('ttl') ?? '');
    return ttl !== undefined && ttl <= 255 ? ttl : undefined;
  }
}

const SENT_PROTOCOLS: ReadonlyMap<string, string> = new Map(
  ['UDP', 'TCP', 'TLS', 'WS', 'WSS'].map((name) => [`SIP/2.0/${name}`, name]),
);

/** Transport of a sent-protocol such as `SIP/2.0/UDP`, white space around the slashes allowed. */
function parseSentProtocol(text: string): string | undefined {
  const parts = text.split('/').map((part) => part.trim());
  if (parts.length !== 3 || parts[0]!.toUpperCase() !== 'SIP' || !parts.every(isToken)) return undefined;
  return parts[2]!.toUpperCase();
}

/** Index of the white space that parts sent-protocol from sent-by: the first after a word that follows two slashes. */
function endOfSentProtocol(text: string): number {
  const slash = text.indexOf('/', text.indexOf('/') + 1);
  if (slash < 0) return text.length;
  let at = skipSpace(text, slash + 1);
  while (at < text.length && text[at] !== ' ' && text[at] !== '\t') at++;
  return at;
}

/** Parses one Via value (RFC 3261 §20.42); undefined when malformed, empty parameters (`;;`) included by default. */
export function parseVia(text: string, allowEmpty = false): Via | undefined {
  const at = endOfSentProtocol(text);
  const sentProtocol = text.substring(0, at);
  const protocol = SENT_PROTOCOLS.get(sentProtocol) ?? parseSentProtocol(sentProtocol);
  if (protocol === undefined) return undefined;
  const semicolon = text.indexOf(';', at);
  const end = semicolon < 0 ? text.length : semicolon;
  const sentBy = parseHostPort(trimmed(text, at, end));
  const params = sentBy && parseParams(text, end, allowEmpty);
  return params && new Via(protocol, sentBy.host, sentBy.port, params);
}

/** Writes a Via value, IPv6 in brackets (RFC 3261 §20.42). */
export function formatVia(via: Pick<Via, 'protocol' | 'host' | 'port' | 'params'>): string {
  const port = via.port === undefined ? '' : `:${via.port}`;
  return `SIP/2.0/${via.protocol} ${formatHost(via.host)}${port}${formatParams(via.params)}`;
}
