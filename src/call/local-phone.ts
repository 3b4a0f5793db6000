import { randomToken } from '../platform/ids.js';
import { type LocalContent, LocalRequest } from '../signalling/local-message.js';
import type { SrfEngine, SrfRequest, SrfRequestOptions } from '../signalling/srf-types.js';
import type { Call } from './call.js';
import { isBadDescription } from './call-media.js';
import type { CallRegistry } from './call-registry.js';
import { type CauseName, causeOf } from './causes.js';
import type { SeatLine } from './conference-port.js';
import { CallRefusedError } from './errors.js';
import { dialogIdOf } from './leg-dialog.js';

/** Something of the server's own that answers calls, such as a seat in a conference room. */
export interface LocalParty {
  /**
   * Takes the call, or a new offer in it. Resolves the answer to `offer`; without one, an offer (RFC 3264 §5). Rejects with
   * CallRefusedError or BadSdpError.
   */
  describe(offer: string | undefined): Promise<string>;
  /** The answer to what `describe` offered; it may refuse all. Never throws. */
  accept(answer: string): void;
  /** The call is over, or did not come about. Idempotent. */
  ended(): void;
}

/** In a call; there is nothing to be done about them, and DTMF by INFO means nothing to a room. */
const TAKEN = ['BYE', 'OPTIONS', 'INFO', 'UPDATE'];

/**
 * What stands in a phone's place at the end of a leg that goes nowhere on the wire: it takes the requests of that leg in place of
 * the engine and answers them as a phone would, so that calls need not know the difference.
 */
export class LocalPhone implements SeatLine {
  /** Why it refused the call. */
  refusal: CauseName | undefined;
  private readonly tag = randomToken(12);
  private readonly callId = `${randomToken(24)}@local`;
  private dialogId = '';
  private partner: LocalParty | undefined;
  private sequence = 0;
  private isUp = false;

  /** `address` is where its audio comes from. */
  constructor(
    private readonly registry: Pick<CallRegistry, 'find'>,
    private readonly address: string,
    private readonly uri: string,
  ) {}

  /** Who answers. */
  connect(party: LocalParty): this {
    this.partner = party;
    return this;
  }

  /** The engine, as far as a leg uses it. */
  get engine(): Pick<SrfEngine, 'request'> {
    return { request: (options, callback) => this.request(options, callback) };
  }

  get call(): Call | undefined {
    return this.registry.find(this.dialogId)?.call;
  }

  get party(): string {
    const found = this.registry.find(this.dialogId);
    if (!found) return '';
    const { call, leg } = found;
    return leg === call.near ? call.parties.callee : call.parties.caller;
  }

  private request(
    options: SrfRequestOptions,
    callback: (error: Error | null, req?: SrfRequest) => void,
  ): void {
    const { method, body } = options;
    let isOver = false;
    const sent = this.echo(options, () => {
      // A re-INVITE that is taken back leaves the session as it was (RFC 3261 §14.2).
      if (!this.isUp) this.partner?.ended();
      queueMicrotask(() => answer(487));
    });
    const answer = (status: number, sdp?: string): void => {
      if (isOver) return;
      isOver = true;
      sent.answer(status, this.response(sdp), (ack) => this.acknowledged(sdp, body, ack?.body));
    };
    queueMicrotask(() => {
      callback(null, sent);
      if (method === 'INVITE') this.invite(body, answer);
      else {
        if (method === 'BYE') this.partner?.ended();
        answer(TAKEN.includes(method) ? 200 : 405);
      }
    });
  }

  private invite(offer: string | undefined, answer: (status: number, sdp?: string) => void): void {
    const { partner } = this;
    if (!partner) {
      answer(480);
      return;
    }
    const described = partner.describe(offer || undefined).then(
      (sdp) => {
        this.isUp = true;
        answer(200, sdp);
      },
      (error: unknown) => {
        if (!this.isUp) partner.ended();
        this.refusal = refusalOf(error);
        answer(causeOf(this.refusal).status);
      },
    );
    described.catch((error: unknown) => this.call?.crash(error));
  }

  /** Late offer: the ACK brings the answer (RFC 3261 §13.2.1). */
  private acknowledged(
    told: string | undefined,
    offer: string | undefined,
    answer: string | undefined,
  ): void {
    if (told && !offer && answer) this.partner?.accept(answer);
  }

  private echo({ method, uri, headers = {}, body }: SrfRequestOptions, onCancel: () => void): LocalRequest {
    const from = Object.entries(headers).find(([name]) => name.toLowerCase() === 'from')?.[1];
    this.dialogId ||= dialogIdOf(this.callId, this.tag);
    const named = {
      'call-id': this.callId,
      cseq: `${++this.sequence} ${method}`,
      from: `${from ?? `<${this.uri}>`};tag=${this.tag}`,
      to: `<${this.uri}>`,
    };
    return new LocalRequest({ ...this.meta, headers: named, body, method, uri, onCancel });
  }

  private response(sdp: string | undefined): LocalContent {
    const headers = {
      to: `<${this.uri}>;tag=${this.tag}l`,
      contact: `<${this.uri}>`,
      // A phone that says what it takes is asked nothing else.
      allow: 'INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE',
    };
    return { ...this.meta, source: 'network', headers, body: sdp };
  }

  private get meta(): LocalContent {
    const { dialogId: stackDialogId, address: source_address } = this;
    return { source_address, stackDialogId };
  }
}

function refusalOf(error: unknown): CauseName {
  if (error instanceof CallRefusedError) return error.refusal.name;
  return isBadDescription(error) ? 'callee-not-acceptable' : 'server-error';
}
