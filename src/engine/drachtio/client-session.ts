import { createHash, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { type Clock, systemClock, type TimerHandle } from '../../platform/clock.js';
import { errorMessage } from '../../platform/errors.js';
import type { Logger } from '../../platform/logger.js';
import type { SipMessage, SipRequest, SipResponse } from '../../sip/message.js';
import { serializeText } from '../../sip/serialize.js';
import type { Application, MessageFacts } from '../core/application.js';
import type { CallEvent } from '../core/call-events.js';
import { PRELOADED_ROUTE } from '../core/request-builder.js';
import { turnEnd } from '../turn-end.js';
import { encodeFrame, FrameDecoder } from './frame-codec.js';
import { metaFields, timeOfDay, WIRE_VERSION } from './leader.js';
import { withTopVia } from './top-via.js';

/** How long a connection may stay without having authenticated. */
export const AUTHENTICATION_TIMEOUT_MS = 10_000;
/** Bytes a connection may send before it has authenticated. */
export const MAX_UNAUTHENTICATED_BYTES = 4096;
/** Tags that an application may have; further ones are not taken. */
const MAX_TAGS = 20;

/**
 * Frames that follow a write within this time wait for the next one: a write costs as much as several frames.
 * Milliseconds of the machine, whatever clock calls have.
 */
const BATCH_MS = 1;

/** One frame of an application, cut into its parts. */
export interface Command {
  readonly msgId: string;
  readonly verb: string;
  /** Fields behind the verb. */
  readonly fields: readonly string[];
  /** A char for each octet. */
  readonly payload: string;
}

/** Who the session belongs to. */
export interface SessionOwner {
  readonly clock: Clock;
  readonly log: Logger;
  readonly secret: string;
  /** `proto/host:port` lists told on authentication: what peers see, and what is bound. */
  readonly hostports: () => { external: string; local: string };
  /** Seconds of silence after which TCP asks whether an application is still there; 0: never. */
  readonly keepAliveSec: number;
  /** Output that may wait for an application that reads too slowly; beyond it the connection is closed. */
  readonly maxBacklogBytes: number;
  /** Called once, when the secret was right. */
  onAuthenticated(session: ClientSession): void;
  /** A command of an authenticated session other than `ping`. */
  onCommand(session: ClientSession, command: Command): void;
  /** Called once, last. */
  onClosed(session: ClientSession): void;
}

/** One application's connection: authentication, frames in both directions, and nothing about SIP. */
export class ClientSession implements Application {
  connected = true;
  /** What the application calls itself, for handlers that choose by it. */
  tags: ReadonlySet<string> = new Set();
  private authenticated = false;
  private bytesBeforeAuthentication = 0;
  private readonly decoder = new FrameDecoder((frame) => this.onFrame(frame));
  private authenticationTimer: TimerHandle | undefined;
  /** Frames of this turn of the event loop, a char for each octet. */
  private outgoing = '';
  private frameCount = 0;
  private flushedMs = 0;
  private flushTimer: TimerHandle | undefined;
  private readonly flushFrames = (): void => this.flush();

  constructor(
    private readonly socket: Socket,
    private readonly owner: SessionOwner,
    /** Unique among the engine's sessions; also the start of its frame ids. */
    readonly id: string,
  ) {
    this.authenticationTimer = owner.clock.setTimeout(() => this.destroy(), AUTHENTICATION_TIMEOUT_MS);
    socket.setNoDelay(true);
    socket.setKeepAlive(owner.keepAliveSec > 0, owner.keepAliveSec * 1000);
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('error', (error) =>
      owner.log.debug({ client: id, err: error.message }, 'application connection failed'),
    );
    socket.on('close', () => this.onClose());
  }

  /** Bytes sent that the application has not read. */
  get backlogBytes(): number {
    return this.socket.writableLength;
  }

  deliverRequest(
    request: SipRequest,
    facts: MessageFacts,
    txnId: string,
    dialogId: string,
    receivedOn?: { address: string; port: number },
  ): void {
    const payload = facts.origin === 'network' ? receivedText(request) : textOf(request);
    const tail = receivedOn ? `${receivedOn.address}|${receivedOn.port}|` : '';
    this.send(`sip|${metaFields(facts, this.owner.clock.now())}|${txnId}|${dialogId}|${tail}`, payload);
  }

  deliverResponse(response: SipResponse, facts: MessageFacts, txnId: string, dialogId: string): void {
    const meta = metaFields(facts, this.owner.clock.now());
    this.send(`sip|${meta}|${txnId}|${dialogId}|`, textOf(response));
  }

  deliverCallEvent(
    event: CallEvent,
    origin: MessageFacts['origin'],
    detail: string | undefined,
    message: SipMessage,
  ): void {
    const isReceived = message.type === 'request' && origin === 'network';
    const tail = detail === undefined ? '' : `|${detail}`;
    const payload = isReceived ? receivedText(message) : textOf(message);
    this.send(`${event}|${origin}|${timeOfDay(this.owner.clock.now())}${tail}`, payload);
  }

  /** Wall time for the frames of this session, UTC milliseconds. */
  nowMs(): number {
    return this.owner.clock.now();
  }

  /** Answers a command: `OK`, `NOK` or `NO` with further fields. After `NO` the connection is closed. */
  answer(msgId: string, status: string, payload?: string): void {
    this.send(`response|${msgId}|${status}`, payload);
  }

  /** Answers `NO` and closes. */
  refuse(msgId: string, reason: string): void {
    this.answer(msgId, `NO|${reason}`);
    this.close();
  }

  /** Sends what is waiting, then closes. */
  close(): void {
    this.decoder.stop();
    this.flush();
    this.socket.end();
    this.socket.destroySoon();
  }

  destroy(): void {
    this.decoder.stop();
    this.socket.destroy();
  }

  private send(text: string, payload?: string): void {
    if (!this.connected) return;
    if (this.outgoing === '') this.flushSoon();
    turnEnd.count();
    this.outgoing += encodeFrame(`${this.id}-${(this.frameCount++).toString(36)}|${text}`, payload);
  }

  /** With the turn of the event loop; when much is to be told, once a millisecond. */
  private flushSoon(): void {
    if (systemClock.monotonic() - this.flushedMs >= BATCH_MS) turnEnd.add(this.flushFrames);
    else this.flushTimer = systemClock.setTimeout(this.flushFrames, BATCH_MS);
  }

  /** All frames that wait leave in one write. */
  private flush(): void {
    const frames = this.outgoing;
    if (frames === '' || !this.connected) return;
    this.outgoing = '';
    this.flushedMs = systemClock.monotonic();
    this.socket.write(frames, 'latin1');
    if (this.socket.writableLength <= this.owner.maxBacklogBytes) return;
    this.owner.log.warn({ client: this.id }, 'application reads too slowly, closing its connection');
    this.destroy();
  }

  private onData(chunk: Buffer): void {
    if (!this.authenticated) this.bytesBeforeAuthentication += chunk.length;
    if (this.bytesBeforeAuthentication > MAX_UNAUTHENTICATED_BYTES) {
      this.destroy();
      return;
    }
    try {
      this.decoder.push(chunk);
    } catch (error) {
      this.owner.log.warn({ client: this.id, err: errorMessage(error) }, 'closing an application connection');
      this.destroy();
    }
  }

  private onFrame(frame: string): void {
    const command = parseCommand(frame);
    if (!command) this.refuse(frame.slice(0, 64).replace(/[|\r\n].*/s, ''), 'Invalid message format');
    else if (command.verb === 'authenticate') this.authenticate(command);
    else if (!this.authenticated) this.refuse(command.msgId, 'not authenticated');
    else if (command.verb === 'ping') this.answer(command.msgId, 'OK|pong');
    else this.owner.onCommand(this, command);
  }

  private authenticate(command: Command): void {
    if (isSameSecret(command.fields[0] ?? '', this.owner.secret)) {
      const isFirst = !this.authenticated;
      this.authenticated = true;
      this.bytesBeforeAuthentication = 0;
      this.tags = new Set((command.fields[1] ?? '').split(',', MAX_TAGS).filter((tag) => tag !== ''));
      this.owner.clock.clearTimeout(this.authenticationTimer);
      const { external, local } = this.owner.hostports();
      this.answer(command.msgId, `OK|${external}|${WIRE_VERSION}|${local}`);
      if (isFirst) this.owner.onAuthenticated(this);
      return;
    }
    const { remoteAddress } = this.socket;
    this.owner.log.warn({ client: this.id, address: remoteAddress }, 'application gave a wrong secret');
    this.refuse(command.msgId, 'incorrect secret');
  }

  private onClose(): void {
    this.connected = false;
    this.outgoing = '';
    systemClock.clearTimeout(this.flushTimer);
    this.decoder.stop();
    this.owner.clock.clearTimeout(this.authenticationTimer);
    this.owner.onClosed(this);
  }
}

function textOf(message: SipMessage): string {
  return message.wireText ?? serializeText(message);
}

/** A peer's request as applications see it: without routes, which one that copies header fields would take for its own. */
function receivedText(request: SipRequest): string {
  if (request.has(PRELOADED_ROUTE)) request.remove(PRELOADED_ROUTE).wireText = undefined;
  return withTopVia(request, textOf(request));
}

/** Fields are never escaped: the leader ends at the first CR, its fields at `|`. */
function parseCommand(frame: string): Command | undefined {
  const end = frame.indexOf('\r');
  const fields = (end < 0 ? frame : frame.slice(0, end)).split('|');
  if (fields.length < 2) return undefined;
  const payload = end < 0 ? '' : frame.slice(end + 2);
  return { msgId: fields[0]!, verb: fields[1]!, fields: fields.slice(2), payload };
}

/** Takes the same time wherever the two differ. */
function isSameSecret(given: string, secret: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text, 'latin1').digest();
  return timingSafeEqual(digest(given), digest(Buffer.from(secret, 'utf8').toString('latin1')));
}
