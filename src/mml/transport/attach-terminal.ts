import type { Socket } from 'node:net';
import type { ReadStream, WriteStream } from 'node:tty';
import { IAC, OPTION_NAWS, SB, SE } from '../terminal/telnet-codes.js';

/** Joins the user's terminal to the server's line editor until the server ends the session. */
export async function attachTerminal(socket: Socket, stdin: ReadStream, stdout: WriteStream): Promise<void> {
  const onKeys = (keys: Buffer) => socket.write(keys);
  const onResize = () => socket.write(windowSize(stdout.columns, stdout.rows));
  const onReport = (bytes: Buffer) => stdout.write(bytes);
  const wasRaw = stdin.isRaw;
  stdin.setRawMode(true);
  stdin.on('data', onKeys);
  stdout.on('resize', onResize);
  socket.on('data', onReport);
  try {
    await new Promise<void>((resolve) => {
      socket.once('close', resolve);
      socket.once('error', () => resolve());
    });
  } finally {
    stdin.off('data', onKeys);
    stdout.off('resize', onResize);
    stdin.setRawMode(wasRaw);
    stdin.pause();
  }
}

/** `IAC SB NAWS columns rows IAC SE`, 255 doubled (RFC 1073). */
export function windowSize(columns: number, rows: number): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt16BE(columns, 0);
  size.writeUInt16BE(rows, 2);
  const payload = [...size].flatMap((byte) => (byte === IAC ? [IAC, IAC] : [byte]));
  return Buffer.from([IAC, SB, OPTION_NAWS, ...payload, IAC, SE]);
}
