import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { waitFor } from './wait-for.js';

/** What somebody posted. */
export interface Posted {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly body: Record<string, unknown>;
}

/** A web server that keeps what is posted to it and answers as a test says. */
export class WebReceiver {
  readonly posted: Posted[] = [];
  /** Status of the next answers, the last one for all after it; `hang` never answers. */
  answers: (number | 'hang')[] = [200];
  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  /** `tls` makes it an https one. */
  static async start(port = 0, tls?: { readonly cert: string; readonly key: string }): Promise<WebReceiver> {
    let receive: RequestListener = () => undefined;
    const take: RequestListener = (req, res) => receive(req, res);
    const server = tls ? createSecureServer(tls, take) : createServer(take);
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new WebReceiver(
      server,
      `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    );
    receive = (req, res) => {
      let text = '';
      req.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      req.on('end', () => {
        const body = JSON.parse(text) as Record<string, unknown>;
        receiver.posted.push({ path: req.url ?? '', headers: req.headers, text, body });
        const [answer = 200] = receiver.answers;
        if (receiver.answers.length > 1) receiver.answers.shift();
        if (answer === 'hang') return;
        res
          .writeHead(answer, { Location: '/elsewhere' })
          .end('x'.repeat(req.url === '/big' ? 1_000_000 : 10));
      });
    };
    return receiver;
  }

  /** `event name subject` of all that came, once there are `count`. */
  async events(count: number): Promise<string[]> {
    await waitFor(`${count} posts`, () => this.posted.length >= count, 30_000);
    return this.posted.map(({ body }) => `${body['event']} ${body['name']} ${body['subject']}`.trim());
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
