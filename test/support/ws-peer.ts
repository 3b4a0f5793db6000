import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import { Inbox } from './inbox.js';

/** A WebSocket of the `ws` package that speaks SIP as text; what arrives waits in `inbox`. */
export class WsPeer {
  readonly inbox = new Inbox<string>();
  /** Resolves with the close code. */
  readonly closed: Promise<number>;

  private constructor(readonly webSocket: WebSocket) {
    webSocket.on('message', (data) => this.inbox.push(String(data)));
    webSocket.on('error', () => {});
    this.closed = new Promise((resolve) => webSocket.on('close', resolve));
  }

  /** Rejects with the response's status when the upgrade is refused. */
  static async connect(url: string, options: ClientOptions & { protocols?: string[] } = {}): Promise<WsPeer> {
    const { protocols = ['sip'], ...rest } = options;
    const webSocket = new WebSocket(url, protocols, { rejectUnauthorized: false, ...rest });
    const peer = new WsPeer(webSocket);
    const opened = once(webSocket, 'open');
    const refused = new Promise<never>((_, reject) => {
      webSocket.on('unexpected-response', (request, response) => {
        request.destroy();
        reject(new Error(`refused: ${response.statusCode}`));
      });
    });
    await Promise.race([opened, refused]);
    return peer;
  }

  send(text: string | Buffer): void {
    this.webSocket.send(text);
  }

  async close(): Promise<void> {
    this.webSocket.close();
    await this.closed;
  }
}
