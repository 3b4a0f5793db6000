import { SipRequest, type SipResponse } from '../sip/message.js';

/** What an in-dialog request is made of (RFC 3261 §12). */
export interface DialogState {
  readonly callId: string;
  readonly localUri: string;
  readonly localTag: string;
  readonly remoteUri: string;
  readonly remoteTag: string;
  readonly remoteTarget: string;
  /** In the order to be sent. */
  readonly routeSet: readonly string[];
  localSeq: number;
}

/** The dialog that a 2xx to our INVITE makes (RFC 3261 §12.1.2). */
export function dialogOfUac(request: SipRequest, response: SipResponse): DialogState {
  return {
    callId: request.callId ?? '',
    localUri: request.from?.uri ?? '',
    localTag: request.fromTag ?? '',
    remoteUri: response.to?.uri ?? '',
    remoteTag: response.toTag ?? '',
    remoteTarget: contactUri(response.get('contact')) ?? request.requestUri,
    routeSet: response.list('record-route').reverse(),
    localSeq: request.cseq?.seq ?? 1,
  };
}

/** The dialog that our 2xx to an INVITE makes (RFC 3261 §12.1.1). */
export function dialogOfUas(request: SipRequest, localTag: string): DialogState {
  return {
    callId: request.callId ?? '',
    localUri: request.to?.uri ?? '',
    localTag,
    remoteUri: request.from?.uri ?? '',
    remoteTag: request.fromTag ?? '',
    remoteTarget: contactUri(request.get('contact')) ?? request.requestUri,
    routeSet: request.list('record-route'),
    localSeq: 0,
  };
}

/** A request within a dialog without Via and Contact; ACK takes the number of its INVITE (RFC 3261 §12.2.1.1, §13.2.2.4). */
export function requestInDialog(dialog: DialogState, method: string, ackOf?: number): SipRequest {
  const request = new SipRequest(method, dialog.remoteTarget);
  const seq = ackOf ?? ++dialog.localSeq;
  request.append('Max-Forwards', '70');
  for (const route of dialog.routeSet) request.append('Route', route);
  request.append('From', `<${dialog.localUri}>;tag=${dialog.localTag}`);
  request.append('To', `<${dialog.remoteUri}>;tag=${dialog.remoteTag}`);
  request.append('Call-ID', dialog.callId);
  request.append('CSeq', `${seq} ${method}`);
  return request;
}

function contactUri(contact: string | undefined): string | undefined {
  return contact === undefined ? undefined : (/<([^>]+)>/.exec(contact)?.[1] ?? contact.split(';')[0]);
}
