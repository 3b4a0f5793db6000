import { reasonPhrase } from '../sip/reason-phrases.js';
import type { SrfAck, SrfHeaders, SrfMessage, SrfMeta, SrfRequest, SrfResponse } from './srf-types.js';

/** What a message that was never on a wire is made of; `headers` by lower-case name. */
export interface LocalContent extends Partial<SrfMeta> {
  readonly headers?: SrfHeaders;
  readonly body?: string | undefined;
}

type Send = SrfResponse['send'];
type ResponseListener = (res: SrfResponse, ack: SrfAck) => void;
type RequestListener =
  | [event: 'response', listener: ResponseListener]
  | [event: 'cancel', listener: (cancel: SrfMessage) => void]
  | [event: 'update', listener: (req: SrfRequest, res: SrfResponse) => void];

/** A message between call control and a part of the server that stands in for a phone: srf has no hand in it. */
abstract class LocalMessage implements SrfMessage, SrfMeta {
  readonly headers: SrfHeaders;
  body: string | undefined;
  readonly raw = '';
  readonly source: SrfMeta['source'];
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly stackTxnId = '';
  readonly stackDialogId: string | undefined;

  constructor({ headers = {}, body, ...meta }: LocalContent) {
    this.headers = headers;
    this.body = body;
    this.source = meta.source ?? 'application';
    this.source_address = meta.source_address ?? '';
    this.source_port = meta.source_port ?? 0;
    this.protocol = meta.protocol ?? 'udp';
    this.stackDialogId = meta.stackDialogId;
  }

  get(name: string): string | undefined {
    return this.headers[name.toLowerCase()];
  }

  has(name: string): boolean {
    return name in this.headers;
  }
}

export interface LocalRequestContent extends LocalContent {
  readonly method: string;
  readonly uri: string;
  /** Takes the response to a request that call control answers. */
  readonly send?: Send;
  /** Call control takes its own request back. */
  readonly onCancel?: () => void;
}

/** A request to or from such a part. */
export class LocalRequest extends LocalMessage implements SrfRequest {
  readonly method: string;
  readonly uri: string;
  readonly receivedOn = undefined;
  readonly res: SrfResponse;
  private readonly onCancel: (() => void) | undefined;
  private onResponse: ResponseListener | undefined;

  constructor(content: LocalRequestContent) {
    super(content);
    this.method = content.method;
    this.uri = content.uri;
    this.onCancel = content.onCancel;
    this.res = new LocalResponse(this, 0, { ...content, body: undefined }, content.send);
  }

  on(...[event, listener]: RequestListener): this {
    if (event === 'response') this.onResponse = listener;
    return this;
  }

  removeAllListeners(): this {
    return this;
  }

  cancel(): void {
    this.onCancel?.();
  }

  /** Gives whoever sent it the final response; `acknowledged` gets its ACK. */
  answer(status: number, content: LocalContent, acknowledged: SrfAck = () => undefined): void {
    this.onResponse?.(new LocalResponse(this, status, content), acknowledged);
  }
}

/** Its response; status 0 while it is to be sent. */
class LocalResponse extends LocalMessage implements SrfResponse {
  readonly reason: string;
  readonly finalResponseSent = false;
  readonly send: Send;

  constructor(
    readonly req: SrfRequest,
    readonly status: number,
    content: LocalContent,
    send: Send = () => undefined,
  ) {
    super(content);
    this.reason = status === 0 ? '' : reasonPhrase(status);
    this.send = send;
  }
}
