/** What the floor says of a call, by name: datagrams and frames have one each. */
export type Step = 'invite' | 'trying' | 'ring' | 'answer' | 'ack' | 'bye' | 'byeOk';

/** Octets of the datagrams of `ims engine` for the call of bench/scenarios with the B2BUA of b2bua-process.ts. */
export const DATAGRAM_BYTES: Readonly<Record<Step, number>> = {
  trying: 257,
  invite: 617,
  ring: 307,
  answer: 533,
  ack: 330,
  byeOk: 267,
  bye: 330,
};

/** Octets of the frames that tell the application what came from the network, prefix included. */
export const NEWS_BYTES: Readonly<Partial<Record<Step, number>>> = {
  invite: 787,
  ring: 470,
  answer: 775,
  ack: 425,
  bye: 425,
  byeOk: 409,
};

/** Octets of the frames by which the application asks for a message to be sent. */
export const COMMAND_BYTES: Readonly<Partial<Record<Step, number>>> = {
  invite: 425,
  ring: 232,
  ack: 156,
  answer: 427,
  byeOk: 241,
  bye: 144,
};

/** Octets of the frames that tell the application that it was sent. */
export const DONE_BYTES: Readonly<Partial<Record<Step, number>>> = {
  invite: 764,
  ring: 490,
  ack: 473,
  answer: 716,
  byeOk: 416,
  bye: 477,
};

const START_LINES: Readonly<Record<Step, readonly [line: string, cseq: string]>> = {
  trying: ['SIP/2.0 100 Trying', '1 INVITE'],
  invite: ['INVITE sip:service@127.0.0.1 SIP/2.0', '1 INVITE'],
  ring: ['SIP/2.0 180 Ringing', '1 INVITE'],
  answer: ['SIP/2.0 200 OK', '1 INVITE'],
  ack: ['ACK sip:service@127.0.0.1 SIP/2.0', '1 ACK'],
  bye: ['BYE sip:service@127.0.0.1 SIP/2.0', '2 BYE'],
  byeOk: ['SIP/2.0 200 OK', '2 BYE'],
};
const END = '\r\n\r\n';
/** Three digits and `#`. */
const PREFIX_BYTES = 4;

/** The messages of one floor, ready but for the Call-ID. */
export class FloorMessages {
  private readonly heads = new Map<Step, string>();

  constructor(port: number) {
    for (const step of Object.keys(START_LINES) as Step[]) this.heads.set(step, head(step, port));
  }

  /** As many octets as the engine's message of that name has. */
  datagram(step: Step, callId: string): Buffer {
    const start = `${this.heads.get(step)}${callId}\r\nX: `;
    return Buffer.from(`${start.padEnd(DATAGRAM_BYTES[step] - END.length, '.')}${END}`, 'latin1');
  }
}

/** A frame of so many octets, its prefix among them. */
export function frameOf(step: Step, callId: string, octets = 0): string {
  const frame = `${step}|${callId}|`.padEnd(octets - PREFIX_BYTES, '.');
  return `${frame.length}#${frame}`;
}

/** Whether a frame tells of a message from the network: one that was sent is told in another number of octets. */
export function isNews(step: Step, frameLength: number): boolean {
  return frameLength + PREFIX_BYTES === NEWS_BYTES[step];
}

/** Sipp finds the call of a message by its Call-ID, and wants no more of it than its method or status. */
function head(step: Step, port: number): string {
  const [line, cseq] = START_LINES[step];
  return [
    line,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKvzj1kj0cwrdkshxs`,
    `From: <sip:10000@127.0.0.1:${port}>;tag=nczlsnrtygx1`,
    `To: <sip:service@127.0.0.1:${port}>${step === 'invite' || step === 'trying' ? '' : ';tag=c4rwtawnwcdb'}`,
    `CSeq: ${cseq}`,
    ...(step === 'answer' ? [`Contact: <sip:127.0.0.1:${port}>`] : []),
    'Content-Length: 0',
    'Call-ID: ',
  ].join('\r\n');
}
