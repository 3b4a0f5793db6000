import type { Socket } from 'node:dgram';
import { turnEnd } from '../turn-end.js';

/** Told when a datagram could not be handed to the kernel. */
export type OnUnsent = (error: Error) => void;

interface Datagram {
  readonly socket: Socket;
  readonly bytes: Buffer;
  /** Undefined on a connected socket. */
  readonly to: { readonly address: string; readonly port: number } | undefined;
  readonly onUnsent: OnUnsent;
}

/**
 * Datagrams of one turn of the event loop leave together at its end, in their order: waking a receiver costs more than
 * sending, and one that was woken by the first is still awake for the others.
 */
export class UdpOutbox {
  private waiting: Datagram[] = [];
  private readonly onTurnEnd = (): void => this.flush();

  /** Without `to` on a connected socket. `onUnsent` is called at most once, never before this returns. */
  put(socket: Socket, bytes: Buffer, to: Datagram['to'], onUnsent: OnUnsent): void {
    if (this.waiting.length === 0) turnEnd.add(this.onTurnEnd);
    turnEnd.count();
    this.waiting.push({ socket, bytes, to, onUnsent });
  }

  /** Sends what waits; before sockets are closed. */
  flush(): void {
    const datagrams = this.waiting;
    this.waiting = [];
    for (const datagram of datagrams) send(datagram);
  }
}

function send({ socket, bytes, to, onUnsent }: Datagram): void {
  const onSent = (error: Error | null): void => {
    if (error) onUnsent(error);
  };
  try {
    if (to) socket.send(bytes, to.port, to.address, onSent);
    else socket.send(bytes, onSent);
  } catch (error) {
    // Node checks the port's range, and that the socket is open, before it sends.
    onUnsent(error as Error);
  }
}
