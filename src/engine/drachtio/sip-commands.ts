import type { AppRequest, AppResponse } from '../core/app-message.js';
import type { Application } from '../core/application.js';
import type { Outcome } from '../core/outcome.js';
import type { UaCore } from '../core/ua-core.js';
import type { ProxyCore } from '../proxy/proxy-core.js';
import { parseAppMessage } from './app-message-parser.js';
import type { ClientSession, Command } from './client-session.js';
import type { CommandHandler } from './drachtio-server.js';
import { PayloadError } from './errors.js';
import { metaFields } from './leader.js';
import { parseProxyCommand } from './proxy-command.js';

/** Carries the commands that speak of SIP to the core, and what became of them back. */
export class SipCommands implements CommandHandler {
  constructor(
    private readonly core: UaCore,
    private readonly proxy: ProxyCore,
  ) {}

  /** `sip|[txnId]|[dialogId]|[routeUri]`. */
  onSip(session: ClientSession, command: Command): void {
    const message = this.parse(session, command);
    if (!message) return;
    const [txnId = '', dialogId = '', routeUri = ''] = command.fields;
    if (message.kind === 'response') this.onResponse(session, command, message, txnId);
    else this.onRequest(session, command, message, { txnId, dialogId, routeUri });
  }

  /** See `parseProxyCommand`. Each final response is told, when asked for, and then that it is done. */
  onProxy(session: ClientSession, command: Command): void {
    const message = this.parse(session, command);
    if (!message) return;
    const { msgId } = command;
    const asked = parseProxyCommand(command.fields, message.headers);
    if (!asked) {
      session.refuse(msgId, 'Invalid proxy request: not enough information provided');
      return;
    }
    const { txnId, order, fullResponse } = asked;
    let isAnswered = false;
    const answer = (status: string): void => {
      if (!isAnswered) session.answer(msgId, status);
      isAnswered = true;
    };
    this.proxy.proxy(session, txnId, order, {
      onFinal: (text, facts) => {
        const meta = metaFields(facts, session.nowMs());
        if (fullResponse) session.answer(msgId, `OK|${meta}|||continue`, text);
      },
      onDone: () => answer('OK|done'),
      onRefused: (reason) => answer(`NOK|${reason}`),
    });
    if (!fullResponse) answer('OK|done');
  }

  onApplicationGone(application: Application): void {
    this.core.onApplicationGone(application);
  }

  private parse(session: ClientSession, command: Command): AppRequest | AppResponse | undefined {
    try {
      return parseAppMessage(command.payload);
    } catch (error) {
      if (!(error instanceof PayloadError)) throw error;
      session.answer(command.msgId, `NOK|${error.message.replaceAll('|', ' ')}`);
      return undefined;
    }
  }

  private onResponse(session: ClientSession, command: Command, message: AppResponse, txnId: string): void {
    if (txnId === '') {
      session.refuse(command.msgId, 'transaction id missing');
      return;
    }
    this.core.respond(session, message, txnId, (outcome) =>
      answer(session, command, outcome, (sent) => `${sent.txnId}|${sent.dialogId}||Msg sent:|`),
    );
  }

  private onRequest(
    session: ClientSession,
    command: Command,
    message: AppRequest,
    to: { txnId: string; dialogId: string; routeUri: string },
  ): void {
    const echo = (outcome: Outcome): void =>
      answer(session, command, outcome, (sent) => `${sent.txnId}|Msg sent:|`);
    if (to.dialogId !== '') this.core.sendInDialog(session, message, to.dialogId, echo);
    else if (message.method === 'CANCEL') this.core.cancel(message, to.txnId, echo);
    else if (message.method === 'ACK')
      session.answer(command.msgId, 'NOK|Server error: ACK outside a dialog');
    else this.core.sendNew(session, message, to.routeUri, echo);
  }
}

type SentOutcome = Extract<Outcome, { ok: true }>;

function answer(
  session: ClientSession,
  command: Command,
  outcome: Outcome,
  tail: (sent: SentOutcome) => string,
): void {
  if (!outcome.ok) session.answer(command.msgId, `NOK|${outcome.reason.replace(/[|\r\n]/g, ' ')}`);
  else {
    const meta = metaFields(outcome.facts, session.nowMs());
    session.answer(command.msgId, `OK|${meta}|${tail(outcome)}`, outcome.text);
  }
}
