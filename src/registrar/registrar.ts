import type { User } from '../accounts/types.js';
import { type Clock, systemClock } from '../platform/clock.js';
import { AppError } from '../platform/errors.js';
import { KeyedQueue } from '../platform/keyed-queue.js';
import type { Closeable } from '../platform/lifecycle.js';
import type { Logger } from '../platform/logger.js';
import type { Authenticator } from '../security/authenticator.js';
import type { SignallingConnection } from '../signalling/connection.js';
import type { LocalNames } from '../signalling/local-names.js';
import { header, headerList, party, peerOf } from '../signalling/request.js';
import { respondOnly } from '../signalling/respond.js';
import type { SrfRequest, SrfResponse } from '../signalling/srf-types.js';
import { parseUri, uriScheme } from '../sip/uri.js';
import type { BindingStore } from '../store/types.js';
import { applyRegister, type BindingPolicy, DEFAULT_BINDING_POLICY } from './apply-register.js';
import { BindingTable } from './binding-table.js';
import { RegisterRefusedError } from './errors.js';
import { readInstanceKey } from './instance.js';
import { type RegisterRequest, readRegister, userAgentOf } from './register-request.js';
import { RegistrationDirectory } from './registration-directory.js';
import type { RegisterFacts, RegistrationObserver } from './registration-events.js';
import type { RegistrationService } from './types.js';
import type { BindingUpdate, KeyedBinding } from './working-set.js';

/** Option tags that a REGISTER may require (RFC 3261 §20.32). */
const SUPPORTED_OPTIONS: readonly string[] = ['outbound', 'path'];
/** How often a phone has to show that its connection lives (RFC 5626 §4.4), seconds. */
const FLOW_TIMER_SEC = 120;
const RETRY_AFTER_SEC = 10;
/** Users whose last refusal is remembered. */
const MAX_REFUSALS = 10_000;

export interface RegistrarOptions {
  readonly connection: Pick<SignallingConnection, 'on'>;
  readonly authenticator: Authenticator;
  readonly bindings: BindingStore;
  /** Domain part of every address-of-record, and the digest realm. */
  readonly realm: string;
  /** Names that this server answers to. */
  readonly names: LocalNames;
  readonly policy?: BindingPolicy;
  readonly observer?: RegistrationObserver;
  /**
   * Called after every REGISTER that leaves a user with phones, refreshes too; must not throw and must not wait. `isNew`: a phone
   * came, or is another than it was.
   */
  readonly onRegistered?: (username: string, isNew: boolean) => void;
  readonly clock?: Clock;
  readonly log: Logger;
}

/** The registrar as others see it. */
export interface Registrar extends RegistrationService, Closeable {}

/** Takes the REGISTER requests of a connection (RFC 3261 §10.3). The caller closes it; the connection stays open. */
export function createRegistrar(options: RegistrarOptions): Registrar {
  const clock = options.clock ?? systemClock;
  const table = new BindingTable(options.bindings, clock);
  const observer = options.observer ?? (() => undefined);
  const directory = new RegistrationDirectory({
    realm: options.realm,
    store: options.bindings,
    table,
    observer,
    clock,
    log: options.log,
  });
  const handler = new RegisterHandler(options, table, directory, observer, clock);
  options.connection.on('REGISTER', (req, res) => handler.handle(req, res));
  return directory;
}

class RegisterHandler {
  /** One REGISTER of an address at a time: each reads what the one before wrote. */
  private readonly queue = new KeyedQueue();
  private readonly policy: BindingPolicy;
  /** Status of the last refusal by user, until a REGISTER of that user is taken. */
  private readonly refusals = new Map<string, number>();

  constructor(
    private readonly options: RegistrarOptions,
    private readonly table: BindingTable,
    private readonly directory: RegistrationDirectory,
    private readonly observer: RegistrationObserver,
    private readonly clock: Clock,
  ) {
    this.policy = options.policy ?? DEFAULT_BINDING_POLICY;
  }

  /** RFC 3261 §10.3, step by step. */
  async handle(req: SrfRequest, res: SrfResponse): Promise<void> {
    try {
      this.checkRequest(req);
      const outcome = await this.options.authenticator.authenticate(req, 'www');
      if (!outcome.ok) {
        this.options.authenticator.reject(req, res, 'www', outcome);
        return;
      }
      await this.registerFor(outcome.user, req, res);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.refuse(req, res, error);
    }
  }

  /** Steps 1 and 2: is it for us, and do we know what it requires. */
  private checkRequest(req: SrfRequest): void {
    const scheme = uriScheme(req.uri);
    // RFC 3261 §8.2.2.1
    if (scheme !== 'sip' && scheme !== 'sips') throw new RegisterRefusedError(416, 'Unsupported URI Scheme');
    const uri = parseUri(req.uri);
    if (!uri) throw new RegisterRefusedError(400, 'Bad Request-URI');
    if (!this.options.names.has(uri.host)) throw new RegisterRefusedError(404, 'Domain Not Served Here');
    // RFC 3261 §8.2.2.3
    const unknown = headerList(req, 'require').filter(
      (tag) => !SUPPORTED_OPTIONS.includes(tag.toLowerCase()),
    );
    if (unknown.length > 0)
      throw new RegisterRefusedError(420, 'Bad Extension', { Unsupported: unknown.join(', ') });
  }

  /** Steps 4 to 8, for a user who is who he says. */
  private async registerFor(user: User, req: SrfRequest, res: SrfResponse): Promise<void> {
    try {
      this.checkAddress(user, req);
      const request = readRegister(req);
      const aor = this.directory.aorOf(user.username);
      const update = await this.queue.run(aor, () => this.apply(aor, request));
      this.tell(user.username, request, update);
      respondOnly(res, 200, {
        headers: {
          ...okHeaders(update.result, this.clock.now()),
          ...outboundHeaders(request),
          // RFC 3327 §5.3: the phone sees which way its calls will come.
          ...(request.path.length > 0 && { Path: [...request.path] }),
        },
      });
      const isNew = update.changes.some(({ kind }) => kind === 'registered' || kind === 'changed');
      if (update.result.length > 0) this.options.onRegistered?.(user.username, isNew);
    } catch (error) {
      if (error instanceof AppError) this.tellRefusal(user.username, req, error);
      throw error;
    }
  }

  /** Steps 4 and 5: a user may register its own address only. */
  private checkAddress(user: User, req: SrfRequest): void {
    const to = parseUri(party(req, 'to').uri);
    if (!to) throw new RegisterRefusedError(400, 'Bad To URI');
    if (!this.options.names.has(to.host)) throw new RegisterRefusedError(404, 'Domain Not Served Here');
    if (to.user !== user.username) throw new RegisterRefusedError(403, 'Not Your Address');
  }

  private async apply(aor: string, request: RegisterRequest): Promise<BindingUpdate> {
    const live = await this.table.read(aor);
    const update = applyRegister(aor, request, live, this.policy, this.clock.now());
    await this.table.write(aor, update);
    return update;
  }

  private tell(username: string, request: RegisterRequest, update: BindingUpdate): void {
    const facts = factsOf(request);
    this.refusals.delete(username);
    for (const change of update.changes) {
      const { contact, protocol, address, port } = change.binding;
      this.options.log.info(
        { username, contact, protocol, address, port, callId: request.callId },
        `registration ${change.kind}`,
      );
      this.observer({ ...change, username, request: facts });
    }
  }

  private refuse(req: SrfRequest, res: SrfResponse, error: AppError): void {
    const isOurs = error instanceof RegisterRefusedError;
    const status = statusOf(error);
    const facts = { callId: req.get('call-id'), address: req.source_address, port: req.source_port, status };
    if (status >= 500) this.options.log.error({ ...facts, err: error }, 'REGISTER failed');
    else this.options.log.info({ ...facts, reason: error.message }, 'REGISTER refused');
    respondOnly(res, status, {
      ...(status < 500 ? { reason: error.message } : {}),
      headers: {
        ...(isOurs ? error.headers : {}),
        ...(status === 503 ? { 'Retry-After': RETRY_AFTER_SEC } : {}),
      },
    });
  }

  /** Tells of a refusal unless the same was the last outcome of this user. */
  private tellRefusal(username: string, req: SrfRequest, error: AppError): void {
    const status = statusOf(error);
    if (this.refusals.get(username) === status) return;
    this.refusals.set(username, status);
    if (this.refusals.size > MAX_REFUSALS) this.refusals.delete(this.refusals.keys().next().value!);
    const request = {
      callId: header(req, 'call-id') ?? '',
      cseq: Number.parseInt(header(req, 'cseq') ?? '', 10) || 0,
      peer: peerOf(req),
      userAgent: userAgentOf(req),
    };
    this.observer({ kind: 'refused', username, status, reason: error.message, request });
  }
}

/** A Store that took too long is a Store that is away. */
function statusOf(error: AppError): number {
  return error.code === 'TIMEOUT' ? 503 : error.sipStatus;
}

function factsOf({ callId, cseq, peer, userAgent }: RegisterRequest): RegisterFacts {
  return { callId, cseq, peer, userAgent };
}

/** Step 8: every live binding with what is left of its time, and the date (RFC 3261 §10.3, §20.17). */
function okHeaders(bindings: readonly KeyedBinding[], nowMs: number): Record<string, string | string[]> {
  const contact = bindings.map(({ binding, instance }) => {
    const sec = Math.max(0, Math.ceil((binding.expiresAt - nowMs) / 1000));
    const q = binding.q === 1 ? '' : `;q=${binding.q}`;
    return `<${binding.contact}>${q};expires=${sec}${instanceParams(instance)}`;
  });
  return { ...(contact.length > 0 ? { Contact: contact } : {}), Date: new Date(nowMs).toUTCString() };
}

/** One that can be put back between quotes as it is. */
const PLAIN_INSTANCE = /^<[^<>"\\\s]+>$/;

/** A phone finds its own binding by them (RFC 5626 §4.2.1). */
function instanceParams(instance: string | undefined): string {
  if (instance === undefined) return '';
  const { id, regId } = readInstanceKey(instance);
  if (!PLAIN_INSTANCE.test(id)) return '';
  return `;+sip.instance="${id}"${regId === '' ? '' : `;reg-id=${regId}`}`;
}

/** RFC 5626 §6: what was done for a phone with several flows, and for how long silence on this one is well. */
function outboundHeaders({ isOutbound, peer }: RegisterRequest): Record<string, string> {
  if (!isOutbound) return {};
  const timer = peer.protocol === 'udp' ? {} : { 'Flow-Timer': String(FLOW_TIMER_SEC) };
  return { Require: 'outbound', Supported: 'outbound', ...timer };
}
