import type { RecordService } from '../cdr/types.js';
import { header, party } from '../signalling/request.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { ALeg } from './a-leg.js';
import { ADMISSION_STEPS, type AdmissionDeps, type Attempt, dialled, refusalOf } from './admission.js';
import { Call } from './call.js';

/** Takes INVITEs that begin a call: opens their record, leads them through the steps of admission, and refuses those that fail. */
export class InviteDesk {
  constructor(
    private readonly admission: AdmissionDeps,
    private readonly records: Pick<RecordService, 'begin'>,
  ) {}

  async take(req: SrfRequest, res: SrfResponse): Promise<void> {
    const attempt = this.attempt(req, res);
    try {
      for (const step of ADMISSION_STEPS) {
        await step(this.admission, attempt);
        if (attempt.isChallenged || attempt.isOver()) return;
      }
    } catch (error) {
      const refusal = refusalOf(error);
      const call = attempt.open();
      const { log } = call;
      if (refusal.refusal.name === 'server-error')
        log.error({ err: error }, 'an INVITE could not be handled');
      else log.debug({ reason: refusal.message }, 'call refused');
      const { headers, phrase } = refusal;
      const by = refuser(refusal.refusal.name);
      call.conclude({ cause: refusal.refusal, by, headers, ...(phrase !== undefined && { phrase }) });
    }
  }

  private attempt(req: SrfRequest, res: SrfResponse): Attempt & { isOver(): boolean } {
    const leg = new ALeg(req, res, this.admission.calls);
    const from = party(req, 'from');
    const { uri, number } = dialled(req);
    let call: Call | undefined;
    const open = (): Call => {
      call ??= this.open(attempt, number?.number ?? uri?.user ?? req.uri);
      return call;
    };
    const attempt: Attempt = { req, res, leg, from, uri, number, open };
    this.admission.calls.registry.watchCancel(req, (cancel) => {
      leg.isCancelled = true;
      call?.onCancel(cancel);
    });
    return Object.assign(attempt, { isOver: () => call?.isEnding ?? false });
  }

  /** Opens the record and the call: from here on the attempt leaves a record, whatever its end. */
  private open({ req, leg, from, user, trunk }: Attempt, called: string): Call {
    const { address } = leg;
    const record = this.records.begin('CALL');
    // A caller that hides its name is known to us all the same.
    const callerNumber =
      trunk?.caller ?? user?.username ?? /^[^:]+:([^@;>]+)@/.exec(from.uri)?.[1] ?? from.uri;
    const dialledNumber = trunk?.dialled ?? called;
    const userAgent = header(req, 'user-agent');
    record.add({
      kind: 'received',
      method: 'INVITE',
      callId: leg.callId,
      cseq: leg.cseq,
      callerUri: from.uri,
      callerNumber,
      ...(from.displayName && { callerName: from.displayName }),
      dialledNumber,
      address: address.address,
      port: address.port,
      transport: address.protocol,
      ...(userAgent !== undefined && { userAgent }),
      ...(trunk && { trunkIn: trunk.trunk }),
    });
    const parties = { caller: callerNumber, callee: dialledNumber, dialled: dialledNumber };
    const call = new Call(this.admission.calls, record, leg, parties);
    call.trail.request('a', false, 'INVITE', req.body);
    this.admission.calls.registry.add(call);
    if (leg.isCancelled) call.onCancel();
    return call;
  }
}

/** Who a refusal is put down to: the caller for what it sent, else the server. */
function refuser(name: string): 'CALLER' | 'CALLEE' | 'SERVER' {
  const isCallers = ['request-malformed', 'extension-required', 'body-unsupported', 'offer-not-acceptable'];
  return isCallers.includes(name) ? 'CALLER' : 'SERVER';
}
