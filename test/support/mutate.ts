import { seeded } from '../fixtures/sip/random.js';
import * as invalid from '../fixtures/sip/rfc4475-invalid.js';
import * as semantics from '../fixtures/sip/rfc4475-semantics.js';
import * as valid from '../fixtures/sip/rfc4475-valid.js';
import * as rfc5118 from '../fixtures/sip/rfc5118.js';
import { requestText, responseText } from './sip-text.js';

/** What a phone sends every day: mutations of these get further than those of torture messages. */
const EVERYDAY: readonly Buffer[] = ['INVITE', 'REGISTER', 'OPTIONS', 'BYE', 'CANCEL', 'ACK', 'SUBSCRIBE']
  .flatMap((method) => {
    const request = requestText({
      method,
      branch: `z9hG4bK${method}`,
      callId: `${method}@everyday`,
      headers: [
        'Contact: <sip:alice@192.0.2.7:5062;transport=udp;ob>;+sip.instance="<urn:uuid:1>";expires=60',
        'Supported: path, gruu, 100rel, timer',
        'Authorization: Digest username="alice", realm="ims", nonce="abc", uri="sip:ims", response="0123456789abcdef"',
        'Record-Route: <sip:192.0.2.1;lr>, <sip:192.0.2.2:5080;transport=tcp;lr>',
      ],
      body: method === 'INVITE' ? 'v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\n' : '',
    });
    return [request, responseText(request, 200), responseText(request, 407)];
  })
  .map((text) => Buffer.from(text, 'latin1'));

/** Messages that mutations start from: RFC 4475, RFC 5118, and everyday ones. */
export const SEED_MESSAGES: readonly Buffer[] = [
  ...[valid, invalid, semantics, rfc5118].flatMap((module) => Object.values(module)),
  ...EVERYDAY,
];

const BITS: readonly Buffer[] = [
  ...['\r\n', '\n', '\r', '\0', ' ', '\t', ':', ';', ',', '"', '\\', '<', '>', '@', '=', '%', '[', ']', '('],
  ...['/', '?', '*', '\xff', '\r\n\r\n', '\r\n ', '-1', '99999999999999999999', '%00', ';;', ',,', '::'],
  ...[
    'SIP/2.0',
    'Via: ',
    'l: ',
    'Content-Length: ',
    'sip:',
    'tel:',
    ';tag=',
    ';branch=z9hG4bK',
    ';lr',
    ';rport',
  ],
].map((text) => Buffer.from(text, 'latin1'));

/** Mutation number `index` of a run: the same seed and index give the same bytes, whatever came before. */
export function mutation(seed: number, index: number): { bytes: Buffer; random: () => number } {
  const random = seeded((seed ^ Math.imul(index + 1, 0x9e3779b1)) | 0);
  return { bytes: mutate(SEED_MESSAGES[index % SEED_MESSAGES.length]!, random), random };
}

/** One to four random changes: a byte, a cut, an insertion, a part doubled or taken from another message. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  let out = Buffer.from(bytes);
  for (let i = below(4); i >= 0; i--) {
    const at = below(out.length + 1);
    const to = Math.min(out.length, at + below(40));
    const other = SEED_MESSAGES[below(SEED_MESSAGES.length)]!;
    const from = below(other.length);
    const inserts = [
      Buffer.from([below(256)]),
      BITS[below(BITS.length)]!,
      out.subarray(at, to),
      other.subarray(from, from + below(60)),
    ];
    const insert = random() < 0.2 ? Buffer.alloc(0) : inserts[below(inserts.length)]!;
    out = Buffer.concat([out.subarray(0, at), insert, out.subarray(random() < 0.5 ? at : to)]);
  }
  return out;
}
