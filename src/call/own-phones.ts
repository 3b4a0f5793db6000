import type { User } from '../accounts/types.js';
import type { OutgoingHeaders } from '../signalling/respond.js';
import { escapeUser } from '../sip/escape.js';
import { reasonPhrase } from '../sip/reason-phrases.js';
import type { Call } from './call.js';
import type { CallDeps } from './call-deps.js';
import { CAUSE_NAMES } from './causes.js';
import { toTarget } from './dial-targets.js';
import { CallRefusedError } from './errors.js';
import { ownHeaders, PRODUCT } from './header-policy.js';
import type { CalleeLeg } from './leg.js';
import { PersistentReinvite } from './persistent-reinvite.js';
import type { CallerStandIn } from './stand-in.js';
import { TransferSearch } from './transfer-search.js';
import type { RouteService } from './types.js';

/** How a call that was begun for somebody goes, for those who asked for it. One of the last two ends it. */
export interface OwnPhonesUser {
  progress(status: number, reason: string): void;
  /** Both sides talk. */
  connected(): void;
  failed(status: number, reason: string): void;
}

/**
 * The phones of the one who calls, rung before the callee (RFC 3725 §4.1, flow I with an answer at once): they are asked for their
 * offer, get silence as an answer, and the callee's description in a re-INVITE when it has answered.
 */
export class OwnPhones implements CallerStandIn {
  private call: Call | undefined;
  private leg: CalleeLeg | undefined;
  private search: TransferSearch | undefined;
  private reinvite: PersistentReinvite | undefined;
  /** Ends the wait for the phone's answer to it: stopped between two tries it tells nobody. */
  private giveUp: ((error: Error) => void) | undefined;
  private isOver = false;

  constructor(
    private readonly deps: CallDeps,
    private readonly routes: Pick<RouteService, 'explain'>,
    private readonly owner: User,
    /** Whom the phones show: the one to be called. */
    private readonly to: string,
    private readonly user: OwnPhonesUser,
  ) {}

  async offer(call: Call): Promise<string> {
    const { deps, owner, routes } = this;
    const { router } = deps;
    this.call = call;
    // Before they ring in vain.
    const report = await routes.explain(owner.username, this.to);
    if (report.outcome !== 'rings') throw refusalFor(report.outcome);
    const bindings = await router.directory.registrations.bindings(owner.username);
    const targets = bindings
      .slice(0, router.maxTargets)
      .map((binding) => toTarget({ kind: 'phone', username: owner.username, binding }, false));
    if (targets.length === 0) throw new CallRefusedError('own-phones-unavailable', 'no phone is registered');
    const ringMs = (owner.features?.noAnswerSec ?? 0) * 1000 || router.ringMs;
    const found = await new Promise<{ leg: CalleeLeg; sdp: string }>((resolve, reject) => {
      this.search = new TransferSearch(call, deps, {
        onRinging: () => undefined,
        onFound: (leg, sdp) => resolve({ leg, sdp }),
        onFailed: (status, reason) => {
          this.search?.stop();
          call.log.debug({ status, reason }, 'the own phones did not answer');
          reject(new CallRefusedError('own-phones-unavailable', reason));
        },
      });
      const plan = {
        callee: owner.username,
        headers: this.headers(),
        rounds: [{ kind: 'phones', targets, ringMs }] as const,
        maxDurationSec: Number.POSITIVE_INFINITY,
      };
      this.search.start(plan, undefined);
    });
    this.leg = found.leg;
    call.replace(call.a, found.leg, Number.POSITIVE_INFINITY);
    return found.sdp;
  }

  progress(status: number, reason: string): void {
    this.user.progress(status, reason);
  }

  async answer(): Promise<void> {
    try {
      await this.join();
    } catch (error) {
      // The call ends by it, and refuses nothing any more.
      this.refused(500, reasonPhrase(500));
      throw error;
    }
    this.user.connected();
  }

  /** The phone gets the callee's description, and the callee's relay side the phone's answer to it. */
  private async join(): Promise<void> {
    const { call, leg } = this;
    const winner = call?.fork.winner;
    if (!call || !leg || !winner) throw new CallRefusedError('dialog-lost', 'the own phone is gone');
    const answer = await this.reoffer(call, leg, winner);
    if (answer.status >= 300 || !answer.body || this.isOver)
      throw new CallRefusedError('answer-not-delivered', reasonPhrase(answer.status));
    await call.media.answer('a', answer.body, leg.peer);
  }

  refused(status: number, reason: string): void {
    this.close();
    this.user.failed(status, reason);
  }

  ended(): void {
    this.close();
  }

  private close(): void {
    this.isOver = true;
    this.reinvite?.stop();
    // RFC 3515 §2.4.7: whoever asked for the call is told its end, whatever was open.
    this.giveUp?.(new CallRefusedError('dialog-lost', 'the call is over'));
    if (!this.leg) this.search?.stop();
  }

  /** The phone gets the callee's description; resolves its final response. */
  private reoffer(
    call: Call,
    leg: CalleeLeg,
    winner: CalleeLeg,
  ): Promise<{ status: number; body: string | undefined }> {
    const sdp = call.media.descriptionOf('b') ?? '';
    const { dialog } = leg;
    if (!dialog) return Promise.resolve({ status: 481, body: undefined });
    return new Promise((resolve, reject) => {
      this.giveUp = reject;
      const headers = ownHeaders(call.allow, 'User-Agent');
      this.reinvite = new PersistentReinvite(dialog, this.deps.clock, headers, {
        offer: () => call.media.offer('b', sdp, winner.peer),
        mayRepeat: () => !this.isOver,
        onFinal: (res, ack) => {
          if (res.status < 300) ack({});
          resolve({ status: res.status, body: res.body });
        },
        onFailure: reject,
      });
    });
  }

  private headers(): OutgoingHeaders {
    const { router, allow } = this.deps;
    const { username, realm } = this.owner;
    return {
      From: `<sip:${escapeUser(this.to)}@${router.identityHost}>`,
      To: `<sip:${escapeUser(username)}@${router.identityHost}>`,
      // RFC 3892 §2.2
      'Referred-By': `<sip:${escapeUser(username)}@${realm}>`,
      'Max-Forwards': 70,
      Allow: allow,
      'User-Agent': PRODUCT,
    };
  }
}

function refusalFor(outcome: string): CallRefusedError {
  const cause = CAUSE_NAMES.find((name) => name === outcome);
  return new CallRefusedError(cause ?? 'feature-code-refused', `it would end by ${outcome}`);
}
