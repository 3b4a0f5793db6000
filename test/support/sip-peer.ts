import { isIPv6 } from 'node:net';
import { randomToken } from '../../src/platform/ids.js';
import { type SipMessage, SipRequest, type SipResponse } from '../../src/sip/message.js';
import { createResponse } from '../../src/sip/response.js';
import { serialize } from '../../src/sip/serialize.js';
import { answerChallenge } from '../../src/testkit/challenge.js';
import { type DialogState, dialogOfUac, dialogOfUas, requestInDialog } from '../../src/testkit/dialog.js';
import { audioSdp } from '../../src/testkit/sdp-text.js';
import { MessageInbox } from './message-inbox.js';
import { type LinkOptions, type LinkTransport, openLink, type PeerLink } from './peer-link.js';

export interface PeerOptions extends LinkOptions {
  readonly username: string;
  readonly password?: string;
  readonly domain?: string;
  /** Has the last word on how a message is written. */
  readonly write?: ((text: string) => string) | undefined;
}

/**
 * A phone without a will of its own: it sends what the test says, once, and answers nothing by itself. Repeated messages
 * are kept in `log` and shown to nobody. Every wait fails after five seconds, or when the phone is closed.
 */
export class SipPeer {
  /** All that came in, repeats included. */
  readonly log: SipMessage[] = [];
  /** When each of them came, by `performance.now()`. */
  readonly logAtMs: number[] = [];
  /** All that went out. */
  readonly sent: SipMessage[] = [];
  private readonly inbox: MessageInbox;
  private readonly registerCallId = randomToken(12);
  private registerSeq = 0;
  private isClosed = false;

  private constructor(
    readonly options: PeerOptions,
    private readonly link: PeerLink,
  ) {
    this.inbox = new MessageInbox(options.username);
    link.onMessage((message) => {
      this.log.push(message);
      this.logAtMs.push(performance.now());
      this.inbox.put(message);
    });
  }

  static async open(options: PeerOptions): Promise<SipPeer> {
    return new SipPeer(options, await openLink(options));
  }

  get port(): number {
    return this.link.port;
  }

  /** Where this phone is, as it stands in a URI. */
  get hostPort(): string {
    // RFC 7118 §5: a browser cannot know its address.
    if (this.transport.startsWith('ws')) return `${this.port}.invalid`;
    const { server, from = '127.0.0.1' } = this.options;
    return `${isIPv6(server.address) ? '[::1]' : from}:${this.port}`;
  }

  /** Resolves when either side has closed the socket or the connection. */
  get closed(): Promise<void> {
    return this.link.closed;
  }

  get username(): string {
    return this.options.username;
  }

  get domain(): string {
    return this.options.domain ?? '127.0.0.1';
  }

  get contact(): string {
    const { transport } = this;
    const param = transport === 'udp' ? '' : `;transport=${transport === 'wss' ? 'ws' : transport}`;
    return `<sip:${this.username}@${this.hostPort}${param}>`;
  }

  private get transport(): LinkTransport {
    return this.options.transport ?? 'udp';
  }

  /** A description of this phone: audio at a port of its own. */
  sdp(direction = 'sendrecv', version = 1): string {
    const address = isIPv6(this.options.server.address) ? '::1' : '127.0.0.1';
    return audioSdp(address, 40_000 + (this.port % 10_000) * 2, direction, version);
  }

  send(message: SipMessage): void {
    this.sent.push(message);
    const bytes = serialize(message);
    const { write } = this.options;
    this.sendRaw(write ? Buffer.from(write(bytes.toString('latin1')), 'latin1') : bytes);
  }

  sendRaw(bytes: Buffer): void {
    this.link.send(bytes);
  }

  /** Registers, answering the challenge; resolves the final response. */
  async register(expiresSec = 300): Promise<SipResponse> {
    const uri = `sip:${this.domain}`;
    const make = (): SipRequest => {
      const request = this.request('REGISTER', uri, `sip:${this.username}@${this.domain}`);
      request.set('Call-ID', this.registerCallId).set('CSeq', `${++this.registerSeq} REGISTER`);
      return request.append('Contact', this.contact).append('Expires', String(expiresSec));
    };
    return this.withCredentials(make());
  }

  /** A request outside a dialog, complete but for its body. */
  request(method: string, uri: string, to = uri): SipRequest {
    const request = new SipRequest(method, uri);
    this.addVia(request);
    request.append('Max-Forwards', '70');
    request.append('From', `<sip:${this.username}@${this.domain}>;tag=${randomToken(8)}`);
    request.append('To', `<${to}>`);
    return request.append('Call-ID', randomToken(16)).append('CSeq', `1 ${method}`);
  }

  /** An INVITE to a number, with a description unless `sdp` is null. */
  invitation(number: string, sdp: string | null = this.sdp()): SipRequest {
    const request = this.request('INVITE', `sip:${number}@${this.domain}`);
    request.append('Contact', this.contact).append('User-Agent', 'peer');
    return withSdp(request, sdp);
  }

  /** Sends an INVITE, meets the 407 and leaves the INVITE with credentials on its way; resolves that one. */
  async invite(
    number: string,
    sdp?: string | null,
    change?: (invite: SipRequest) => void,
  ): Promise<SipRequest> {
    const request = this.invitation(number, sdp);
    change?.(request);
    this.send(request);
    const challenge = await this.final(request);
    if (challenge.statusCode !== 407) throw new Error(`${challenge.statusCode} in place of a challenge`);
    this.ackRefusal(request, challenge);
    return this.sendWithCredentials(request, challenge);
  }

  /** Sends the request once more as the answer to a challenge: new branch, next CSeq. Resolves it. */
  sendWithCredentials(request: SipRequest, challenge: SipResponse): SipRequest {
    const { username, password = '' } = this.options;
    if (!answerChallenge(request, challenge, { username, password })) throw new Error('no usable challenge');
    request.set('CSeq', `${(request.cseq?.seq ?? 1) + 1} ${request.method}`);
    request.remove('via');
    request.prepend('Via', this.via());
    this.send(request);
    return request;
  }

  /** Sends a request and answers its challenge; resolves the final response. */
  async withCredentials(request: SipRequest): Promise<SipResponse> {
    this.send(request);
    const response = await this.final(request);
    if (response.statusCode !== 401 && response.statusCode !== 407) return response;
    return this.final(this.sendWithCredentials(request, response));
  }

  /** Next response to that request with one of the statuses; others stay. */
  response(request: SipRequest, ...statuses: number[]): Promise<SipResponse> {
    const branch = request.topVia?.branch;
    return this.inbox.take(
      `${statuses.join('/')} to ${request.method}`,
      (message) =>
        message.type === 'response' &&
        message.topVia?.branch === branch &&
        message.cseq?.method === request.method &&
        statuses.includes(message.statusCode),
    ) as Promise<SipResponse>;
  }

  /** The final response to a request, whatever it is. */
  final(request: SipRequest): Promise<SipResponse> {
    const branch = request.topVia?.branch;
    return this.inbox.take(
      `a final response to ${request.method}`,
      (message) =>
        message.type === 'response' && message.topVia?.branch === branch && message.statusCode >= 200,
    ) as Promise<SipResponse>;
  }

  /** The next request of that method. */
  next(method: string, timeoutMs?: number): Promise<SipRequest> {
    return this.inbox.take(
      method,
      (message) => message.type === 'request' && message.method === method,
      timeoutMs,
    ) as Promise<SipRequest>;
  }

  /** Whether a request of that method came and was not taken yet. */
  has(method: string): boolean {
    return this.inbox.has((message) => message.type === 'request' && message.method === method);
  }

  /** Answers a request; the To tag is this phone's for that Call-ID. */
  respond(
    request: SipRequest,
    status: number,
    options: { sdp?: string | undefined; headers?: Record<string, string>; phrase?: string } = {},
  ): SipResponse {
    const response = createResponse(request, status, options.phrase, this.tagFor(request));
    if (request.method === 'INVITE' && status < 300) {
      // RFC 3261 §12.1.1
      for (const route of request.getAll('record-route')) response.append('Record-Route', route);
      response.append('Contact', this.contact);
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) response.append(name, value);
    withSdp(response, options.sdp ?? null);
    this.send(response);
    return response;
  }

  /** The dialog of an INVITE that this phone answers. */
  dialogAsUas(invite: SipRequest): DialogState {
    return dialogOfUas(invite, this.tagFor(invite));
  }

  /** ACK of a 2xx, with a description in a late-offer call. Resolves the dialog. */
  ack(invite: SipRequest, ok: SipResponse, sdp?: string): DialogState {
    const dialog = dialogOfUac(invite, ok);
    this.ackIn(dialog, invite.cseq?.seq ?? 1, sdp);
    return dialog;
  }

  /** ACK of a 2xx to a re-INVITE. */
  ackIn(dialog: DialogState, seq: number, sdp?: string): void {
    const ack = requestInDialog(dialog, 'ACK', seq);
    this.addVia(ack);
    this.send(withSdp(ack, sdp ?? null));
  }

  /** ACK of a final response that is no success: the INVITE's branch (RFC 3261 §17.1.1.3). */
  ackRefusal(invite: SipRequest, response: SipResponse): void {
    const ack = new SipRequest('ACK', invite.requestUri);
    ack.append('Via', invite.get('via') ?? '').append('From', invite.get('from') ?? '');
    ack.append('To', response.get('to') ?? '').append('Call-ID', invite.callId ?? '');
    ack.append('CSeq', `${invite.cseq?.seq} ACK`).append('Max-Forwards', '70');
    this.send(ack);
  }

  /** CANCEL of an INVITE that was sent (RFC 3261 §9.1); resolves it. */
  cancel(invite: SipRequest, headers: Record<string, string> = {}): SipRequest {
    const cancel = new SipRequest('CANCEL', invite.requestUri);
    cancel.append('Via', invite.get('via') ?? '').append('Max-Forwards', '70');
    cancel.append('From', invite.get('from') ?? '').append('To', invite.get('to') ?? '');
    cancel.append('Call-ID', invite.callId ?? '').append('CSeq', `${invite.cseq?.seq} CANCEL`);
    for (const [name, value] of Object.entries(headers)) cancel.append(name, value);
    this.send(cancel);
    return cancel;
  }

  /** Sends a request in a dialog; resolves it. */
  inDialog(
    dialog: DialogState,
    method: string,
    options: { sdp?: string | null; headers?: Record<string, string>; body?: string } = {},
  ): SipRequest {
    const request = requestInDialog(dialog, method);
    this.addVia(request);
    if (method === 'INVITE' || method === 'UPDATE') request.append('Contact', this.contact);
    for (const [name, value] of Object.entries(options.headers ?? {})) request.append(name, value);
    if (options.body !== undefined) request.body = Buffer.from(options.body);
    this.send(withSdp(request, options.sdp ?? null));
    return request;
  }

  /** Sends BYE and resolves its final response. */
  async bye(dialog: DialogState): Promise<SipResponse> {
    return this.final(this.inDialog(dialog, 'BYE'));
  }

  /** Waits for the other side's BYE and answers it 200. */
  async expectBye(): Promise<SipRequest> {
    const bye = await this.next('BYE');
    this.respond(bye, 200);
    return bye;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.inbox.close();
    await this.link.close();
  }

  private addVia(request: SipRequest): void {
    request.prepend('Via', this.via());
  }

  private via(): string {
    const protocol = this.transport.toUpperCase();
    return `SIP/2.0/${protocol} ${this.hostPort};branch=z9hG4bK${randomToken(14)};rport`;
  }

  /** This phone's tag in a dialog: the same for every request of one Call-ID. */
  private tagFor(request: SipRequest): string {
    return request.toTag ?? `t${this.port}${(request.callId ?? '').replace(/\W/g, '').slice(0, 12)}`;
  }
}

function withSdp<M extends SipMessage>(message: M, sdp: string | null): M {
  if (sdp === null) return message;
  message.set('Content-Type', 'application/sdp');
  message.body = Buffer.from(sdp);
  return message;
}
