// The application beside floor-process.ts: node floor-app-process.js app <admin port> <unused> <callee>
import { connect } from 'node:net';
import { FrameDecoder } from '../../src/engine/drachtio/frame-codec.js';
import { COMMAND_BYTES, frameOf, isNews, type Step } from './floor-messages.js';

/** What the B2BUA asks for when it hears of a message. */
const COMMANDS: Readonly<Partial<Record<Step, readonly Step[]>>> = {
  invite: ['invite'],
  ring: ['ring'],
  answer: ['ack', 'answer'],
  bye: ['byeOk', 'bye'],
};
const [port = '', , callee = ''] = process.argv.slice(3);

const socket = connect(Number(port), '127.0.0.1', () => {
  const frame = `callee|${callee.split(':')[1]}|`;
  socket.write(`${frame.length}#${frame}`);
  process.send?.('ready');
});
/** Told of news and of what was sent alike: the latter has other sizes. */
const decoder = new FrameDecoder((frame) => {
  const [kind = '', callId = ''] = frame.split('|', 2);
  const step = kind as Step;
  if (!isNews(step, frame.length)) return;
  for (const command of COMMANDS[step] ?? [])
    socket.write(frameOf(command, callId, COMMAND_BYTES[command]), 'latin1');
});
socket.setNoDelay(true);
socket.on('data', (chunk: Buffer) => decoder.push(chunk));
