import { randomToken } from '../../src/platform/ids.js';
import { computeResponse, type DigestAlgorithm, ha1 } from '../../src/sip/digest.js';
import { type DigestChallenge, formatCredentials, parseChallenges } from '../../src/sip/digest-headers.js';
import type { Inbox } from './inbox.js';
import { statusOf } from './sip-text.js';

/** What a client talks through: a raw UDP socket or TCP connection, bound to the server's port. */
export interface Wire {
  readonly protocol: 'UDP' | 'TCP';
  readonly port: number;
  readonly inbox: Inbox<string>;
  send(text: string): void;
}

export interface RegisterOptions {
  username?: string;
  password?: string;
  /** Contact values, `''` for none; default the wire's own address. */
  contact?: string | readonly string[];
  expires?: number;
  algorithm?: DigestAlgorithm;
  /** Address to register, default that of the user. */
  to?: string;
  requestUri?: string;
  method?: string;
  headers?: readonly string[];
  /** Authorization value instead of one made for the challenge. */
  authorization?: string;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Values of a header, one a line. */
  all(name: string): string[];
}

/** Text of an answer, taken apart as far as tests look. */
export function readAnswer(text: string): Answer {
  return {
    status: statusOf(text) ?? 0,
    text,
    all: (name) =>
      [...text.matchAll(new RegExp(`^${name}: *(.*?)\\r?$`, 'gim'))].map((match) => match[1]!.trim()),
  };
}

/** A phone that does nothing but send requests, one at a time, with one Call-ID and rising CSeq. */
export class RegisterClient {
  callId = randomToken(16);
  cseq = 0;
  /** Authorization of the last request that had one. */
  lastAuthorization = '';

  constructor(
    private readonly wire: Wire,
    private readonly defaults: RegisterOptions = {},
  ) {}

  get contact(): string {
    return `<sip:${this.defaults.username ?? '1001'}@127.0.0.1:${this.wire.port}>`;
  }

  /** Sends one request as it is and resolves the answer. */
  async send(options: RegisterOptions = {}): Promise<Answer> {
    this.wire.send(this.text({ ...this.defaults, ...options }));
    return readAnswer(await this.wire.inbox.next());
  }

  /** Sends a REGISTER, and again with credentials when challenged. */
  async register(options: RegisterOptions = {}): Promise<Answer> {
    const first = await this.send(options);
    if (first.status !== 401) return first;
    return this.send({ ...options, authorization: this.answer(first, options) });
  }

  /** Credentials for the challenge of a 401 or 407, as of RFC 8760 §2.4 with the first algorithm or the one asked for. */
  answer(challenged: Answer, given: RegisterOptions = {}, nc = '00000001'): string {
    const options = { ...this.defaults, ...given };
    const challenge = this.challenge(challenged, options.algorithm);
    const { username = '1001', password = '', method = 'REGISTER', requestUri = 'sip:ims' } = options;
    const algorithm = (challenge.algorithm ?? 'MD5') as DigestAlgorithm;
    const common = { nonce: challenge.nonce, uri: requestUri, cnonce: 'c0ffee', nc, qop: 'auth' } as const;
    const response = computeResponse({
      ...common,
      algorithm,
      method,
      ha1: ha1(username, challenge.realm, password, algorithm),
    });
    return formatCredentials({ ...common, username, realm: challenge.realm, response, algorithm });
  }

  challenge(challenged: Answer, algorithm?: string): DigestChallenge {
    const values = [...challenged.all('WWW-Authenticate'), ...challenged.all('Proxy-Authenticate')];
    const challenges = parseChallenges(values);
    const found = algorithm ? challenges.find((item) => item.algorithm === algorithm) : challenges[0];
    if (!found) throw new Error(`no challenge in:\n${challenged.text}`);
    return found;
  }

  private text(options: RegisterOptions): string {
    const { username = '1001', method = 'REGISTER', requestUri = 'sip:ims' } = options;
    const contacts = [options.contact ?? this.contact].flat().filter((value) => value !== '');
    if (options.authorization !== undefined) this.lastAuthorization = options.authorization;
    return [
      `${method} ${requestUri} SIP/2.0`,
      `Via: SIP/2.0/${this.wire.protocol} 127.0.0.1:${this.wire.port};branch=z9hG4bK${randomToken(12)};rport`,
      'Max-Forwards: 70',
      `From: <sip:${username}@ims>;tag=${randomToken(8)}`,
      `To: <${options.to ?? `sip:${username}@ims`}>`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${++this.cseq} ${method}`,
      ...contacts.map((value) => `Contact: ${value}`),
      ...(options.expires === undefined ? [] : [`Expires: ${options.expires}`]),
      ...(options.authorization === undefined ? [] : [`Authorization: ${options.authorization}`]),
      ...(options.headers ?? []),
      'User-Agent: test-phone/1.0',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n');
  }
}
