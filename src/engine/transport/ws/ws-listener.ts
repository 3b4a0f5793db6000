import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { StreamListener } from '../stream-listener.js';
import { createUpgradeServer } from './upgrade-server.js';

/** SIP over WebSocket (RFC 7118). Its peers cannot be dialled: what they are sent goes down their connections. */
export class WsListener extends StreamListener {
  protected readonly canDial = false;
  protected readonly http: Server = createUpgradeServer(this.context, (socket, link) =>
    this.adopt(socket, link),
  );

  protected accept(socket: Socket): void {
    this.http.emit('connection', socket);
  }

  protected dial(): undefined {
    return undefined;
  }
}
