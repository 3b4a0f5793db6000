import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Clock } from '../../platform/clock.js';
import { AppError, errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import type { SipRequest } from '../../sip/message.js';
import { serializeText } from '../../sip/serialize.js';
import type { Source } from '../types.js';
import { questionUrl } from './question.js';
import { parseRoutingAnswer, type RoutingAnswer } from './routing-answer.js';

/** How long a handler may take over one question, connecting included. Milliseconds. */
export const ANSWER_TIMEOUT_MS = 3000;
/** Longest answer that is read; bytes. */
export const MAX_ANSWER_BYTES = 64 * 1024;
/** Questions to one handler at once; further ones get no answer. */
export const MAX_QUESTIONS = 1000;
const MAX_SOCKETS = 64;

export interface HttpHandlerOptions {
  readonly url: URL;
  /** POST carries the SIP request as its body. */
  readonly httpMethod: 'GET' | 'POST';
  /** For https: the certificate must be good for the name. */
  readonly verifyPeer: boolean;
  /** Default MAX_QUESTIONS. */
  readonly maxQuestions?: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An HTTP service that is asked what to do with new requests. */
export class HttpHandler implements Closeable {
  private readonly agent: HttpAgent;
  private readonly open = new Set<ClientRequest>();
  private isFailing = false;

  constructor(private readonly options: HttpHandlerOptions) {
    const shared = { keepAlive: true, maxSockets: MAX_SOCKETS, maxFreeSockets: MAX_SOCKETS };
    this.agent =
      options.url.protocol === 'https:'
        ? new HttpsAgent({ ...shared, rejectUnauthorized: options.verifyPeer })
        : new HttpAgent(shared);
  }

  /** Undefined when there is no answer in time, or none that can be understood. Never rejects. */
  async ask(request: SipRequest, source: Source): Promise<RoutingAnswer | undefined> {
    try {
      if (this.open.size >= (this.options.maxQuestions ?? MAX_QUESTIONS))
        throw new HandlerError('too many questions are open');
      const url = questionUrl(this.options.url, request, source);
      const body =
        this.options.httpMethod === 'POST'
          ? Buffer.from(request.wireText ?? serializeText(request), 'latin1')
          : undefined;
      const answer = parseRoutingAnswer(await this.fetch(url, body));
      if (!answer) throw new HandlerError('its answer is no instruction');
      this.isFailing = false;
      return answer;
    } catch (error) {
      this.tell(error);
      return undefined;
    }
  }

  close(): Promise<void> {
    for (const request of this.open) request.destroy(new HandlerError('the engine closes'));
    this.agent.destroy();
    return Promise.resolve();
  }

  /** The whole body, whatever the status: the instruction is in it. A connection that lay idle may just have ended. */
  private async fetch(url: URL, body: Buffer | undefined): Promise<string> {
    try {
      return await this.fetchOnce(url, body);
    } catch (error) {
      if (error instanceof StaleConnectionError) return this.fetchOnce(url, body);
      throw error;
    }
  }

  private fetchOnce(url: URL, body: Buffer | undefined): Promise<string> {
    const { clock, httpMethod } = this.options;
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(url, { method: httpMethod, agent: this.agent, headers: headersFor(body) });
      this.open.add(request);
      const timer = clock.setTimeout(
        () => request.destroy(new HandlerError('no answer in time')),
        ANSWER_TIMEOUT_MS,
      );
      request.on('response', (response) => readBody(response, resolve, (error) => request.destroy(error)));
      request.on('error', (error: NodeJS.ErrnoException) =>
        reject(request.reusedSocket && error.code === 'ECONNRESET' ? new StaleConnectionError() : error),
      );
      request.on('close', () => {
        clock.clearTimeout(timer);
        this.open.delete(request);
        reject(new HandlerError('the connection ended'));
      });
      request.end(body);
    });
  }

  /** The first of a row of failures is worth a warning. */
  private tell(error: unknown): void {
    const { log, url } = this.options;
    const facts = { handler: url.origin + url.pathname, err: errorMessage(error) };
    if (this.isFailing) log.debug(facts, 'request handler failed');
    else log.warn(facts, 'request handler failed; its requests get 500 until it answers');
    this.isFailing = true;
  }
}

class HandlerError extends AppError {
  constructor(message: string) {
    super('ENGINE_HANDLER', message);
  }
}

/** A kept connection was closed by the other side before it saw the question. */
class StaleConnectionError extends HandlerError {
  constructor() {
    super('the connection was stale');
  }
}

function headersFor(body: Buffer | undefined): Record<string, string | number> {
  const accept = { Accept: 'application/json' };
  if (!body) return accept;
  return { ...accept, 'Content-Type': 'text/plain; charset=UTF-8', 'Content-Length': body.length };
}

function readBody(
  response: IncomingMessage,
  resolve: (text: string) => void,
  abort: (error: Error) => void,
): void {
  const parts: Buffer[] = [];
  let bytes = 0;
  response.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) abort(new HandlerError('its answer is too long'));
    else parts.push(part);
  });
  response.on('error', () => undefined);
  response.on('end', () => resolve(Buffer.concat(parts).toString('utf8')));
}
