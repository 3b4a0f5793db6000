import type { SipResponse } from '../../sip/message.js';
import { parseRSeq } from '../../sip/reliability.js';
import { Dialog } from '../dialog/dialog.js';
import type { ClientTransactionUser, Source } from '../types.js';
import type { ClientRequest } from './client-request.js';
import type { CoreContext } from './core-context.js';
import type { CoreDialog } from './core-dialog.js';
import type { DialogCloser } from './dialog-closer.js';
import { isLastNotify } from './own-replies.js';
import type { SessionKeeper } from './session-keeper.js';

/** A dialog keeps its name while a challenged request is sent again with credentials. */
const CHALLENGED = new Set([401, 407]);
/** Reliable provisionals of one INVITE whose forks are remembered. */
const MAX_PRACK_PEERS = 64;

/** For requests of the engine's own whose outcome changes nothing. */
export const SILENT_USER: ClientTransactionUser = {
  onResponse: () => {},
  onFailure: () => {},
  onTerminated: () => {},
};

/** What responses do to the dialogs that their requests found or belong to (RFC 3261 §12.1.2, §13.2.2, §15.1.1). */
export class ClientDialogs {
  constructor(
    private readonly ctx: CoreContext,
    private readonly closer: DialogCloser,
    private readonly sessions: SessionKeeper,
  ) {}

  /** Before a response is delivered. `source` is undefined for one that the engine made. */
  onResponse(request: ClientRequest, response: SipResponse, source: Source | undefined): void {
    const { dialog } = request;
    if (!dialog) return;
    if (response.statusCode >= 200 && dialog.ownInvite === request) dialog.ownInvite = undefined;
    if (response.statusCode < 200) this.onProvisional(request, dialog, response);
    else if (response.statusCode < 300) this.onSuccess(request, dialog, response, source);
    else this.onRejection(request, dialog, response);
  }

  /** RFC 3261 §13.2.2.4: a 2xx of another fork than the one that won is acknowledged, and its dialog ended. */
  endExtraFork(request: ClientRequest, response: SipResponse, source: Source): void {
    const fork = Dialog.asUac(request.request);
    fork.confirm(response);
    if (fork.peer.target === undefined) return;
    const { protocol, address, port } = source;
    const hop = request.tx?.hop ?? { protocol, address, port };
    this.ctx.sendStateless(fork.createRequest('ACK', request.seq), hop);
    // The same BYE again for a 2xx that comes again would be another transaction of no use, but does no harm.
    this.ctx.createClient(fork.createRequest('BYE'), hop, SILENT_USER);
  }

  private onProvisional(request: ClientRequest, dialog: CoreDialog, response: SipResponse): void {
    if (!request.isInitial) return;
    dialog.dialog.learn(response);
    const rseq = parseRSeq(response.get('rseq') ?? '');
    const peer = dialog.dialog.peerWithTag(response.toTag);
    if (rseq !== undefined && peer && dialog.prackPeers.length < MAX_PRACK_PEERS)
      dialog.prackPeers.push({ rseq, peer });
  }

  private onSuccess(
    request: ClientRequest,
    dialog: CoreDialog,
    response: SipResponse,
    source: Source | undefined,
  ): void {
    const { method } = request;
    if (request.isInitial) {
      dialog.dialog.confirm(response);
      dialog.prackPeers.length = 0;
      if (source) dialog.followResponse(response, source, request.tx?.hop, this.ctx.detectNat);
    } else if (method === 'BYE' || (dialog.usage !== 'invite' && isLastNotify(request.request)))
      this.closer.close(dialog);
    // RFC 3261 §12.2.1.2, RFC 3311 §5.1
    else if (method === 'INVITE' || method === 'UPDATE' || method === 'SUBSCRIBE')
      dialog.dialog.refreshTarget(response);
    if (method === 'INVITE') {
      dialog.accepted ??= new Map();
      dialog.accepted.set(request.seq, request);
    }
    if (method === 'INVITE' || method === 'UPDATE') {
      this.sessions.onAccepted(dialog, response);
      this.ctx.keeper.changed(dialog);
    }
  }

  private onRejection(request: ClientRequest, dialog: CoreDialog, response: SipResponse): void {
    const isEnd = request.method === 'BYE' || (dialog.usage !== 'invite' && isLastNotify(request.request));
    if (request.isInitial || (isEnd && !CHALLENGED.has(response.statusCode))) this.closer.close(dialog);
  }
}
