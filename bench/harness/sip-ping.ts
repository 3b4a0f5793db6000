import { createSocket } from 'node:dgram';
import { setTimeout as delay } from 'node:timers/promises';

const TRIES = 100;
const PAUSE_MS = 100;

/** Waits until something answers SIP on a UDP port of 127.0.0.1; rejects after ten seconds. */
export async function untilAnswersSip(port: number): Promise<void> {
  const socket = createSocket('udp4');
  let isAnswered = false;
  socket.on('message', () => {
    isAnswered = true;
  });
  // A port that is not bound yet is reported on the socket.
  socket.on('error', () => undefined);
  try {
    for (let i = 0; i < TRIES && !isAnswered; i++) {
      socket.send(options(i), port, '127.0.0.1');
      await delay(PAUSE_MS);
    }
  } finally {
    socket.close();
  }
  if (!isAnswered) throw new Error(`nothing answers SIP on port ${port}`);
}

/** Inside a dialog that nobody has: 404 or 481, and no further state. */
function options(i: number): string {
  return [
    'OPTIONS sip:ping@127.0.0.1 SIP/2.0',
    `Via: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKping${i};rport`,
    'Max-Forwards: 70',
    'From: <sip:ping@127.0.0.1>;tag=1',
    'To: <sip:ping@127.0.0.1>;tag=2',
    `Call-ID: ping-${process.pid}-${i}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}
