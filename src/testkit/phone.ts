import { randomToken } from '../platform/ids.js';
import type { Closeable } from '../platform/lifecycle.js';
import { type SipMessage, SipRequest, type SipResponse } from '../sip/message.js';
import { createResponse } from '../sip/response.js';
import { answerChallenge } from './challenge.js';
import { type DialogState, dialogOfUac, dialogOfUas, requestInDialog } from './dialog.js';
import { PhoneError } from './errors.js';
import { PhoneCall } from './phone-call.js';
import { RtpStream } from './rtp-stream.js';
import { audioSdp } from './sdp-text.js';
import { SipSocket } from './sip-socket.js';

export interface PhoneOptions {
  readonly username: string;
  readonly password: string;
  /** Host part of the address-of-record. */
  readonly domain: string;
  readonly server: { readonly address: string; readonly port: number };
  /** Address the phone binds to and puts into SIP and SDP. */
  readonly address: string;
  /** Tone this phone sends, Hz. */
  readonly toneHz: number;
  readonly algorithm?: 'SHA-256' | 'MD5';
  /** What to do with a call that comes in; default: ring, then answer. */
  readonly onInvite?: (invite: SipRequest) => 'answer' | number;
  readonly onMessage?: (message: SipMessage, sent: boolean) => void;
}

/** A small SIP user agent over UDP with one audio stream a call: enough to try a server out, for `ims demo` and tests. */
export class Phone implements Closeable {
  private socket!: SipSocket;
  private readonly calls = new Map<string, PhoneCall>();
  private readonly stopAnswers = new Map<string, () => void>();
  private incoming: ((call: PhoneCall) => void)[] = [];
  private registerSeq = 0;
  private readonly registerCallId = randomToken(20);

  private constructor(private readonly options: PhoneOptions) {}

  static async open(options: PhoneOptions): Promise<Phone> {
    const phone = new Phone(options);
    phone.socket = await SipSocket.open(options.address, options.server, {
      onRequest: (request) => void phone.receive(request).catch(() => undefined),
      ...(options.onMessage && { onMessage: options.onMessage }),
    });
    return phone;
  }

  get address(): string {
    return this.options.address;
  }

  /** Contact header value. */
  get contact(): string {
    return `<sip:${this.options.username}@${hostPort(this.address, this.socket.port)}>`;
  }

  private get aor(): string {
    return `sip:${this.options.username}@${this.options.domain}`;
  }

  /** Registers, or with 0 seconds takes the registration back; resolves the server's 200 (RFC 3261 §10.2). */
  async register(expiresSec: number): Promise<SipResponse> {
    const request = new SipRequest('REGISTER', `sip:${this.options.domain}`);
    request.append('Max-Forwards', '70');
    request.append('From', `<${this.aor}>;tag=${randomToken(10)}`).append('To', `<${this.aor}>`);
    request.append('Call-ID', this.registerCallId).append('CSeq', `${++this.registerSeq} REGISTER`);
    request.append('Contact', this.contact).append('Expires', String(expiresSec));
    request.append('User-Agent', 'ims-phone');
    const response = await this.sendWithAuth(request);
    this.registerSeq = Math.max(this.registerSeq, Number(response.cseq?.seq ?? 0));
    if (response.statusCode >= 300) {
      throw new PhoneError(`REGISTER: ${response.statusCode} ${response.reasonPhrase}`, response.statusCode);
    }
    return response;
  }

  /** Calls a number; resolves when it was answered, rejects with PhoneError and the status when not. */
  async call(number: string, onProvisional?: (response: SipResponse) => void): Promise<PhoneCall> {
    const rtp = await RtpStream.open(this.address, this.options.toneHz);
    try {
      const request = new SipRequest('INVITE', `sip:${number}@${this.options.domain}`);
      request.append('Max-Forwards', '70');
      request.append('From', `<${this.aor}>;tag=${randomToken(10)}`);
      request.append('To', `<sip:${number}@${this.options.domain}>`);
      request.append('Call-ID', randomToken(20)).append('CSeq', '1 INVITE').append('Contact', this.contact);
      request.append('User-Agent', 'ims-phone');
      const response = await this.sendWithAuth(request, audioSdp(this.address, rtp.port), onProvisional);
      if (response.statusCode >= 300) {
        throw new PhoneError(`INVITE: ${response.statusCode} ${response.reasonPhrase}`, response.statusCode);
      }
      const dialog = dialogOfUac(request, response);
      this.acknowledge(dialog, response.cseq?.seq ?? 1);
      dialog.localSeq = response.cseq?.seq ?? 1;
      return this.remember(new PhoneCall(this, dialog, rtp, response.body.toString()));
    } catch (error) {
      await rtp.close();
      throw error;
    }
  }

  /** Resolves the next call that this phone answers. */
  nextIncoming(): Promise<PhoneCall> {
    return new Promise((resolve) => this.incoming.push(resolve));
  }

  /** Sends a request in a dialog and resolves its final response. */
  sendInDialog(request: SipRequest, sdp?: string): Promise<SipResponse> {
    this.addVia(request);
    if (request.method === 'INVITE') request.append('Contact', this.contact);
    if (sdp !== undefined) {
      request.append('Content-Type', 'application/sdp');
      request.body = Buffer.from(sdp);
    }
    return this.socket.request(request);
  }

  /** Acknowledges a 2xx: a request of its own, never answered (RFC 3261 §13.2.2.4). */
  acknowledge(dialog: DialogState, seq: number): void {
    const ack = requestInDialog(dialog, 'ACK', seq);
    this.addVia(ack);
    this.socket.send(ack);
  }

  forget(call: PhoneCall): void {
    this.calls.delete(call.dialog.callId);
  }

  async close(): Promise<void> {
    for (const stop of this.stopAnswers.values()) stop();
    await Promise.all([...this.calls.values()].map((call) => call.over('here')));
    await this.socket.close();
  }

  /** Sends a request, and once more with credentials when it is challenged (RFC 3261 §22.2). */
  private async sendWithAuth(
    request: SipRequest,
    sdp?: string,
    onProvisional?: (response: SipResponse) => void,
  ): Promise<SipResponse> {
    if (sdp !== undefined) {
      request.append('Content-Type', 'application/sdp');
      request.body = Buffer.from(sdp);
    }
    this.addVia(request);
    const first = await this.socket.request(request, onProvisional);
    if (request.method === 'INVITE' && first.statusCode >= 300) this.acknowledgeFailure(request, first);
    const { username, password, algorithm } = this.options;
    if (!answerChallenge(request, first, { username, password, ...(algorithm && { algorithm }) }))
      return first;
    request.set('CSeq', `${(request.cseq?.seq ?? 1) + 1} ${request.method}`);
    request.remove('via');
    this.addVia(request);
    const second = await this.socket.request(request, onProvisional);
    if (request.method === 'INVITE' && second.statusCode >= 300) this.acknowledgeFailure(request, second);
    return second;
  }

  /** ACK to a non-2xx final: same branch as the INVITE (RFC 3261 §17.1.1.3). */
  private acknowledgeFailure(invite: SipRequest, response: SipResponse): void {
    const ack = new SipRequest('ACK', invite.requestUri);
    ack.append('Via', invite.get('via') ?? '').append('Max-Forwards', '70');
    ack.append('From', invite.get('from') ?? '').append('To', response.get('to') ?? '');
    ack.append('Call-ID', invite.callId ?? '').append('CSeq', `${invite.cseq?.seq ?? 1} ACK`);
    this.socket.send(ack);
  }

  private addVia(request: SipRequest): void {
    const at = hostPort(this.address, this.socket.port);
    request.prepend('Via', `SIP/2.0/UDP ${at};branch=z9hG4bK${randomToken(16)};rport`);
    // Via comes first by custom; a server must not need it, people reading a trace do.
    const via = request.headers.findIndex((field) => field.key === 'via');
    request.headers.unshift(...request.headers.splice(via, 1));
  }

  private async receive(request: SipRequest): Promise<void> {
    const call = this.calls.get(request.callId ?? '');
    if (request.method === 'ACK') {
      this.stopAnswers.get(request.callId ?? '')?.();
      return;
    }
    if (call) {
      const answer = await call.handle(request);
      if (!answer) return;
      if (request.method === 'INVITE') this.answerInvite(request, answer);
      else this.socket.respond(request, answer);
      return;
    }
    if (request.method === 'INVITE') await this.receiveInvite(request);
    else if (request.method === 'OPTIONS' || request.method === 'CANCEL')
      this.socket.respond(request, createResponse(request, 200));
    else this.socket.respond(request, createResponse(request, 481));
  }

  private async receiveInvite(request: SipRequest): Promise<void> {
    const tag = randomToken(10);
    const decision = this.options.onInvite?.(request) ?? 'answer';
    if (decision !== 'answer') {
      this.socket.respond(request, createResponse(request, decision, undefined, tag));
      return;
    }
    this.socket.respond(
      request,
      createResponse(request, 180, undefined, tag).append('Contact', this.contact),
    );
    const rtp = await RtpStream.open(this.address, this.options.toneHz);
    const answer = createResponse(request, 200, undefined, tag).append('Contact', this.contact);
    answer.append('Content-Type', 'application/sdp');
    answer.body = Buffer.from(audioSdp(this.address, rtp.port));
    const call = this.remember(new PhoneCall(this, dialogOfUas(request, tag), rtp, request.body.toString()));
    this.answerInvite(request, answer);
    this.incoming.shift()?.(call);
  }

  /** Sends a 2xx until its ACK comes. */
  private answerInvite(request: SipRequest, answer: SipResponse): void {
    const callId = request.callId ?? '';
    this.stopAnswers.get(callId)?.();
    this.stopAnswers.set(callId, this.socket.respondUntilAcked(request, answer));
  }

  private remember(call: PhoneCall): PhoneCall {
    this.calls.set(call.dialog.callId, call);
    return call;
  }
}

function hostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
