import { randomToken } from '../../src/platform/ids.js';
import { RawUdp } from './raw-sockets.js';
import { headerOf, type RequestText, requestText, responseText } from './sip-text.js';

/** A phone on a bare UDP socket: it sends texts to one engine and reads what comes, message by message. */
export class TextPeer {
  private constructor(
    readonly udp: RawUdp,
    readonly enginePort: number,
  ) {}

  private static readonly opened = new Set<TextPeer>();

  static async open(enginePort: number): Promise<TextPeer> {
    const peer = new TextPeer(await RawUdp.open(), enginePort);
    TextPeer.opened.add(peer);
    return peer;
  }

  /** Closes every peer that a test left open; for `afterEach`. */
  static async closeAll(): Promise<void> {
    await Promise.all([...TextPeer.opened].map((peer) => peer.close()));
  }

  get port(): number {
    return this.udp.port;
  }

  get uri(): string {
    return `sip:peer@127.0.0.1:${this.port}`;
  }

  /** Sends a request; returns its text. Contact is ours for requests that found or refresh dialogs. */
  request(options: RequestText & { contact?: string } = {}): string {
    const method = options.method ?? 'INVITE';
    const needsContact = method === 'INVITE' || method === 'SUBSCRIBE';
    const headers = [
      ...(needsContact ? [`Contact: ${options.contact ?? `<${this.uri}>`}`] : []),
      ...(options.headers ?? []),
    ];
    const via = `SIP/2.0/UDP 127.0.0.1:${this.port}`;
    const text = requestText({
      via,
      branch: `z9hG4bK${randomToken(12)}`,
      callId: `${randomToken(12)}@test`,
      ...options,
      method,
      headers,
    });
    this.send(text);
    return text;
  }

  /** A request in the dialog that `response` (to our `invite`) made; ACK keeps the INVITE's number. */
  inDialog(
    invite: string,
    response: string,
    method: string,
    cseq: number,
    headers: readonly string[] = [],
    body = '',
  ): string {
    return this.request({
      method,
      cseq,
      headers,
      body,
      callId: headerOf(invite, 'Call-ID')!,
      fromTag: tagOf(headerOf(invite, 'From')!)!,
      toTag: tagOf(headerOf(response, 'To')!)!,
      uri: /<([^>]*)>/.exec(headerOf(response, 'Contact') ?? '')?.[1] ?? 'sip:ims@127.0.0.1',
    });
  }

  /** ACKs a final response other than 2xx (RFC 3261 §17.1.1.3). */
  acknowledge(invite: string, response: string): void {
    const to = `To: ${headerOf(response, 'To')}`;
    this.send(
      invite
        .slice(0, invite.indexOf('\r\n\r\n') + 4)
        .replace(/^INVITE/, 'ACK')
        .replace(/^(CSeq: \d+) INVITE/m, '$1 ACK')
        .replace(/^To:.*$/m, to)
        .replace(/^Content-Length: .*$/m, 'Content-Length: 0'),
    );
  }

  /** Answers a request that came. */
  respond(
    request: string,
    statusCode: number,
    options: { toTag?: string; headers?: readonly string[]; body?: string; contact?: string } = {},
  ): void {
    const contact = `Contact: ${options.contact ?? `<${this.uri}>`}`;
    const text = responseText(request, statusCode, {
      ...options,
      headers: [contact, ...(options.headers ?? [])],
    });
    const { body } = options;
    this.send(
      body === undefined
        ? text
        : text.replace(
            /Content-Length: 0\r\n\r\n$/,
            `Content-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          ),
    );
  }

  send(text: string): void {
    this.udp.send(text, this.enginePort);
  }

  /** The next message that is not a 100. */
  async next(timeoutMs?: number): Promise<string> {
    for (;;) {
      const text = await this.udp.inbox.next(timeoutMs);
      if (!/^SIP\/2\.0 100 /.test(text)) return text;
    }
  }

  /** The next message whose start line matches; others before it are dropped. */
  async until(startLine: RegExp, timeoutMs = 3000): Promise<string> {
    for (;;) {
      const text = await this.udp.inbox.next(timeoutMs);
      if (startLine.test(text.slice(0, text.indexOf('\r\n')))) return text;
    }
  }

  async close(): Promise<void> {
    if (TextPeer.opened.delete(this)) await this.udp.close();
  }
}

export function tagOf(address: string): string | undefined {
  return /;tag=([^;>\s]+)/.exec(address)?.[1];
}

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

/** What drachtio-srf writes as a response to `request`. */
export function appResponse(
  request: string,
  statusCode: number,
  headers: readonly string[] = [],
  body = '',
): string {
  const kept = ['Call-ID', 'CSeq', 'From', 'To'].map((name) => `${name}: ${headerOf(request, name)}`);
  return [`SIP/2.0 ${statusCode} Test`, ...kept, ...headers, `Content-Length: ${body.length}`, '', body].join(
    '\r\n',
  );
}

/** What drachtio-srf writes as a request. */
export function appRequest(method: string, uri: string, headers: readonly string[] = [], body = ''): string {
  return [`${method} ${uri} SIP/2.0`, ...headers, `Content-Length: ${body.length}`, '', body].join('\r\n');
}
