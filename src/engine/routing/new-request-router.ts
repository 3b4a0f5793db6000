import type { Clock } from '../../platform/clock.js';
import { AppError, errorMessage } from '../../platform/errors.js';
import type { Closeable } from '../../platform/lifecycle.js';
import type { Logger } from '../../platform/logger.js';
import type { SipRequest } from '../../sip/message.js';
import type { Application } from '../core/application.js';
import type { RequestRouter, Way } from '../core/way.js';
import type { Source } from '../types.js';
import { type ApplicationAddress, parseApplicationUrl } from './application-address.js';
import { HttpHandler } from './http-handler.js';

/** Who decides about the new requests of one SIP method. Plain data. */
export interface RequestHandlerSettings {
  /** In capitals, or `*` for all methods without a handler of their own. */
  readonly method: string;
  /** `http:` or `https:` for a service that is asked; `tcp://host:port` or `tls://host:port` for an application. */
  readonly url: string;
  /** Default GET; POST carries the SIP request as its body. */
  readonly httpMethod?: 'GET' | 'POST';
  /** For https: whether its certificate must be good; default true. */
  readonly verifyPeer?: boolean;
}

/** The applications that a router has to choose from. */
export interface RoutableApplications {
  /** The next in turn that asked for that method, and has the tag if one is given. */
  pick(method: string, tag?: string): Application | undefined;
  /** Connects to one for a single request; rejects when it is not there or does not know our secret. */
  dial(address: ApplicationAddress): Promise<{ readonly app: Application; readonly drop: () => void }>;
}

const NOBODY: Way = { kind: 'nobody' };
const UNAVAILABLE: Way = { kind: 'answer', statusCode: 480 };
const FAILED: Way = { kind: 'answer', statusCode: 500 };

/** A handler's URL cannot be used. */
export class RequestHandlerError extends AppError {
  constructor(url: string) {
    super(
      'ENGINE_HANDLER',
      `request handler ${url}: http:, https:, tcp://host:port or tls://host:port is expected`,
    );
  }
}

/** Sends new requests to the applications that asked for them, or where a handler says. */
export class NewRequestRouter implements RequestRouter, Closeable {
  private readonly handlers = new Map<string, HttpHandler | ApplicationAddress>();

  /** Throws RequestHandlerError. */
  constructor(
    settings: readonly RequestHandlerSettings[],
    private readonly applications: RoutableApplications,
    private readonly platform: { readonly clock: Clock; readonly log: Logger },
  ) {
    for (const handler of settings)
      this.handlers.set(handler.method.toUpperCase(), this.createHandler(handler));
  }

  route(request: SipRequest, source: Source): Way | Promise<Way> {
    const { method } = request;
    const handler =
      this.handlers.size === 0 ? undefined : (this.handlers.get(method) ?? this.handlers.get('*'));
    if (!handler) return wayTo(this.applications.pick(method), NOBODY);
    return handler instanceof HttpHandler ? this.ask(handler, request, source) : this.dial(handler);
  }

  async close(): Promise<void> {
    for (const handler of this.handlers.values()) if (handler instanceof HttpHandler) await handler.close();
  }

  private createHandler(settings: RequestHandlerSettings): HttpHandler | ApplicationAddress {
    const address = parseApplicationUrl(settings.url);
    if (address) return address;
    const url = URL.canParse(settings.url) ? new URL(settings.url) : undefined;
    if (url?.protocol !== 'http:' && url?.protocol !== 'https:') throw new RequestHandlerError(settings.url);
    const { httpMethod = 'GET', verifyPeer = true } = settings;
    return new HttpHandler({ url, httpMethod, verifyPeer, ...this.platform });
  }

  private async ask(handler: HttpHandler, request: SipRequest, source: Source): Promise<Way> {
    const answer = await handler.ask(request, source);
    if (!answer) return FAILED;
    switch (answer.action) {
      case 'reject':
        return { ...answer, kind: 'answer' };
      case 'redirect':
        return { kind: 'answer', statusCode: 302, contacts: answer.contacts };
      case 'proxy':
        return { kind: 'proxy', order: answer.order };
      case 'connect':
        return this.dial(answer.address);
      case 'tag':
        return wayTo(this.applications.pick(request.method, answer.tag), UNAVAILABLE);
    }
  }

  private async dial(address: ApplicationAddress): Promise<Way> {
    try {
      return { kind: 'application', ...(await this.applications.dial(address)) };
    } catch (error) {
      const { host, port } = address;
      this.platform.log.info({ host, port, err: errorMessage(error) }, 'an application cannot be reached');
      return UNAVAILABLE;
    }
  }
}

function wayTo(app: Application | undefined, otherwise: Way): Way {
  return app ? { kind: 'application', app } : otherwise;
}
