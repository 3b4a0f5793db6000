import type { Socket } from 'node:net';
import type { Server } from 'node:tls';
import { createTlsServer } from '../tls/tls-server.js';
import { WsListener } from './ws-listener.js';

/** SIP over secure WebSocket (RFC 7118 §9). */
export class WssListener extends WsListener {
  private readonly tls: Server = createTlsServer(this.context.credentials(), this.context, (socket) =>
    this.http.emit('connection', socket),
  );

  protected override accept(socket: Socket): void {
    this.tls.emit('connection', socket);
  }
}
