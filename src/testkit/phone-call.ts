import type { SipRequest, SipResponse } from '../sip/message.js';
import { createResponse } from '../sip/response.js';
import { type DialogState, requestInDialog } from './dialog.js';
import { PhoneError } from './errors.js';
import type { Phone } from './phone.js';
import type { RtpStream } from './rtp-stream.js';
import { audioSdp, mediaTarget } from './sdp-text.js';

/** An established call of a phone, with its audio stream. */
export class PhoneCall {
  /** Settles when the call is over, with who ended it. */
  readonly ended: Promise<'here' | 'there'>;
  private settleEnded!: (by: 'here' | 'there') => void;
  private sdpVersion = 1;
  private isOver = false;

  constructor(
    private readonly phone: Phone,
    readonly dialog: DialogState,
    readonly rtp: RtpStream,
    remoteSdp: string,
  ) {
    this.ended = new Promise((resolve) => {
      this.settleEnded = resolve;
    });
    this.followMedia(remoteSdp);
  }

  /** Sends re-INVITE with a direction: `sendonly` holds, `sendrecv` resumes (RFC 3264 §8.4). Resolves the answer. */
  async reinvite(direction: string): Promise<string> {
    const request = requestInDialog(this.dialog, 'INVITE');
    const sdp = audioSdp(this.phone.address, this.rtp.port, direction, ++this.sdpVersion);
    const response = await this.phone.sendInDialog(request, sdp);
    this.phone.acknowledge(this.dialog, request.cseq?.seq ?? 0);
    if (response.statusCode >= 300)
      throw new PhoneError(`re-INVITE: ${response.statusCode}`, response.statusCode);
    const answer = response.body.toString();
    this.followMedia(answer);
    return answer;
  }

  /** Sends BYE and ends the call; resolves the status of its answer. */
  async hangUp(): Promise<number> {
    if (this.isOver) return 0;
    const response = await this.phone.sendInDialog(requestInDialog(this.dialog, 'BYE'));
    await this.over('here');
    return response.statusCode;
  }

  /** Handles an in-dialog request of the far side. */
  async handle(request: SipRequest): Promise<SipResponse | undefined> {
    switch (request.method) {
      case 'BYE': {
        const answer = createResponse(request, 200);
        await this.over('there');
        return answer;
      }
      case 'INVITE': {
        const offer = request.body.toString();
        this.followMedia(offer);
        const answer = createResponse(request, 200).append('Contact', this.phone.contact);
        answer.append('Content-Type', 'application/sdp');
        answer.body = Buffer.from(
          audioSdp(this.phone.address, this.rtp.port, answerDirection(offer), ++this.sdpVersion),
        );
        return answer;
      }
      case 'ACK':
        return undefined;
      default:
        return createResponse(request, 200);
    }
  }

  /** Frees the stream and settles `ended`. */
  async over(by: 'here' | 'there'): Promise<void> {
    if (this.isOver) return;
    this.isOver = true;
    this.phone.forget(this);
    this.settleEnded(by);
    await this.rtp.close();
  }

  private followMedia(sdp: string): void {
    const target = mediaTarget(sdp);
    if (target && target.port > 0 && /sendrecv|recvonly/.test(sdp))
      this.rtp.sendTo(target.address, target.port);
    else if (target && !/sendonly|inactive/.test(sdp)) this.rtp.sendTo(target.address, target.port);
    else this.rtp.pause();
  }
}

/** The direction that answers an offer's (RFC 3264 §6.1). */
function answerDirection(offer: string): string {
  if (/a=sendonly/.test(offer)) return 'recvonly';
  if (/a=recvonly/.test(offer)) return 'sendonly';
  return /a=inactive/.test(offer) ? 'inactive' : 'sendrecv';
}
