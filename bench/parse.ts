// Parse and serialise against drachtio-srf's parser, in one run: node .build/bench/parse.js
import { createRequire } from 'node:module';
import { parseMessage } from '../src/sip/parser.js';
import { serialize } from '../src/sip/serialize.js';
import { StreamParser } from '../src/sip/stream-parser.js';

interface DrachtioMessage {
  toString(): string;
}
const require = createRequire(import.meta.url);
const DrachtioSipMessage = require('drachtio-srf/lib/sip-parser/message.js') as new (
  text: string,
) => DrachtioMessage;

const ROUND_MS = 600;
const ROUNDS = 3;

/** An INVITE as a softphone sends it; about 600 bytes of header fields and body. */
const INVITE = Buffer.from(
  `INVITE sip:1002@ims.example.com SIP/2.0
Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bKPj9cb1f2a7e0
Max-Forwards: 70
From: "Alice" <sip:1001@ims.example.com>;tag=a48s7d2f
To: <sip:1002@ims.example.com>
Contact: <sip:1001@192.0.2.10:5060;ob>
Call-ID: 8f1d2c3b4a5968778695a4b3
CSeq: 21370 INVITE
Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, PRACK
Supported: replaces, 100rel, timer
User-Agent: softphone/1.2
Content-Type: application/sdp
Content-Length: 136

v=0
o=- 3911 3911 IN IP4 192.0.2.10
s=-
c=IN IP4 192.0.2.10
t=0 0
m=audio 40000 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=sendrecv
`.replace(/\n/g, '\r\n'),
  'latin1',
);

/** Microseconds of one call: the best of a few rounds, after a warm-up. */
function microseconds(work: () => unknown): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round <= ROUNDS; round++) {
    const start = process.hrtime.bigint();
    const until = start + BigInt(ROUND_MS) * 1_000_000n;
    let count = 0;
    while (process.hrtime.bigint() < until) {
      for (let i = 0; i < 100; i++) work();
      count += 100;
    }
    if (round > 0) best = Math.min(best, Number(process.hrtime.bigint() - start) / 1000 / count);
  }
  return best;
}

function report(what: string, us: number): void {
  const perSecond = Math.round(1_000_000 / us).toLocaleString('en');
  console.log(`${what.padEnd(44)} ${us.toFixed(2).padStart(8)} µs ${perSecond.padStart(10)}/s`);
}

const text = INVITE.toString('latin1');
const ours = parseMessage(INVITE);
const theirs = new DrachtioSipMessage(text);
const stream = new StreamParser({ onMessage: () => {}, onPing: () => {}, onError: () => {} });

console.log(`INVITE of ${INVITE.length} bytes`);
const parseUs = microseconds(() => parseMessage(INVITE));
const theirParseUs = microseconds(() => new DrachtioSipMessage(text));
const writeUs = microseconds(() => serialize(ours));
const theirWriteUs = microseconds(() => theirs.toString());
report('parse a datagram', parseUs);
report(
  'parse from a stream',
  microseconds(() => stream.push(INVITE)),
);
report('parse, drachtio-srf', theirParseUs);
report('serialise', writeUs);
report('serialise, drachtio-srf', theirWriteUs);
console.log(
  `times faster: parse ${(theirParseUs / parseUs).toFixed(1)}, serialise ${(theirWriteUs / writeUs).toFixed(1)}`,
);
