import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import { MAX_STREAM_MESSAGE_BYTES } from '../../../sip/limits.js';
import type { ListenerContext } from '../types.js';
import { WebSocketLink } from './web-socket-link.js';

/** RFC 7118 §4.1 */
const SUBPROTOCOL = 'sip';
const MAX_HTTP_HEADER_BYTES = 16 * 1024;

/**
 * The HTTP side of accepted connections (RFC 7118 §4.1, RFC 6455 §4.2): it is handed sockets and gives back those that
 * became a WebSocket for SIP. It has no socket of its own; who hands sockets in bounds the time they may take.
 */
export function createUpgradeServer(
  context: ListenerContext,
  onWebSocket: (socket: Socket, link: WebSocketLink) => void,
): Server {
  const webSockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_STREAM_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  // Refused by the library: no version, no key and the like.
  webSockets.on('wsClientError', (_error, socket) => {
    context.counters.webSocketsRefused++;
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  const http = createServer({ maxHeaderSize: MAX_HTTP_HEADER_BYTES }, (request, response) =>
    refusePlain(context, request, response),
  );
  http.on('upgrade', (request, stream, head) => {
    const socket = stream as Socket;
    const fault = faultOf(request, context.origins);
    if (fault !== undefined) {
      context.counters.webSocketsRefused++;
      socket.end(responseText(fault));
    } else
      webSockets.handleUpgrade(request, socket, head, (webSocket) =>
        onWebSocket(socket, new WebSocketLink(webSocket, socket)),
      );
  });
  http.on('clientError', (_error, stream) => {
    context.counters.webSocketsRefused++;
    stream.destroy();
  });
  return http;
}

interface Fault {
  readonly status: string;
  readonly text: string;
}

/** What keeps an upgrade from becoming SIP. */
function faultOf({ headers }: IncomingMessage, origins: readonly string[] | undefined): Fault | undefined {
  const offered = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!offered.includes(SUBPROTOCOL))
    return { status: '400 Bad Request', text: 'The WebSocket subprotocol "sip" is required (RFC 7118).' };
  const { origin } = headers;
  // RFC 6455 §10.2: what is no browser sends none, and could write any.
  if (origins === undefined || origin === undefined || origins.includes(origin.toLowerCase()))
    return undefined;
  return { status: '403 Forbidden', text: 'Pages of this origin may not connect.' };
}

function responseText({ status, text }: Fault): string {
  const head = ['Connection: close', 'Content-Type: text/plain', `Content-Length: ${text.length + 1}`];
  return `HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n${text}\n`;
}

/** RFC 9110 §15.5.22 */
function refusePlain(context: ListenerContext, _request: IncomingMessage, response: ServerResponse): void {
  context.counters.webSocketsRefused++;
  response.writeHead(426, {
    Upgrade: 'websocket',
    Connection: 'Upgrade, close',
    'Content-Type': 'text/plain',
  });
  response.end('This port speaks SIP over WebSocket (RFC 7118), subprotocol "sip".\n');
}
