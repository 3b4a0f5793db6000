import { isIPv4 } from 'node:net';
import type { SipRequest } from '../../sip/message.js';
import { parseNameAddr } from '../../sip/name-addr.js';
import { parseUri } from '../../sip/uri.js';

/** Which new requests the engine answers itself, before any application is asked. Plain data. */
export interface ScreenSettings {
  /** Parts of texts, compared without regard to case; a request with one of them gets 603. */
  readonly spam?: {
    readonly userAgent?: readonly string[];
    /** In the user part of From. */
    readonly from?: readonly string[];
    /** In the user part of To. */
    readonly to?: readonly string[];
  };
  /** User-Agent values whose OPTIONS get 200, e.g. those of a load balancer that asks whether we live. */
  readonly optionsAutoRespond?: readonly string[];
  /** A REGISTER whose Request-URI has an IPv4 address for its domain gets 403. */
  readonly registerNeedsDomain?: boolean;
}

/** The status codes it may give. */
export type ScreenVerdict = 200 | 400 | 403 | 603;

/** Judges new requests outside dialogs by what stands in them. */
export class RequestScreen {
  private readonly spam: {
    readonly userAgent: readonly string[];
    readonly from: readonly string[];
    readonly to: readonly string[];
  };
  private readonly autoRespond: ReadonlySet<string>;
  private readonly looksForSpam: boolean;

  constructor(private readonly settings: ScreenSettings = {}) {
    const { userAgent, from, to } = settings.spam ?? {};
    this.spam = { userAgent: lower(userAgent), from: lower(from), to: lower(to) };
    this.looksForSpam = Object.values(this.spam).some((patterns) => patterns.length > 0);
    this.autoRespond = new Set(settings.optionsAutoRespond);
  }

  /** The status with which a request ends here; undefined when it goes on. */
  judge(request: SipRequest): ScreenVerdict | undefined {
    if (this.looksForSpam && this.isSpam(request)) return 603;
    if (request.method === 'OPTIONS' && this.autoRespond.size > 0)
      return this.autoRespond.has(request.get('user-agent') ?? '') ? 200 : undefined;
    return request.method === 'REGISTER' ? this.judgeRegister(request) : undefined;
  }

  private isSpam(request: SipRequest): boolean {
    const { userAgent, from, to } = this.spam;
    return (
      hasOneOf(request.get('user-agent'), userAgent) ||
      (from.length > 0 && hasOneOf(userOf(request.get('from')), from)) ||
      (to.length > 0 && hasOneOf(userOf(request.get('to')), to))
    );
  }

  private judgeRegister(request: SipRequest): ScreenVerdict | undefined {
    const uri = parseUri(request.requestUri);
    if (this.settings.registerNeedsDomain && uri && isIPv4(uri.host)) return 403;
    const contacts = request.list('contact');
    // RFC 3261 §10.3 step 6
    if (contacts.includes('*'))
      return contacts.length > 1 || request.get('expires') !== '0' ? 400 : undefined;
    return contacts.every((contact) => parseNameAddr(contact)) ? undefined : 400;
  }
}

function lower(patterns: readonly string[] = []): string[] {
  return patterns.filter((pattern) => pattern !== '').map((pattern) => pattern.toLowerCase());
}

function hasOneOf(text: string | undefined, patterns: readonly string[]): boolean {
  if (text === undefined || patterns.length === 0) return false;
  const folded = text.toLowerCase();
  return patterns.some((pattern) => folded.includes(pattern));
}

function userOf(address: string | undefined): string | undefined {
  const uri = address === undefined ? undefined : parseNameAddr(address)?.uri;
  return uri === undefined ? undefined : parseUri(uri)?.user;
}
