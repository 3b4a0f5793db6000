/** The two G.711 companding laws; their RTP payload types are static (RFC 3551 §6). */
export type G711Law = 'PCMU' | 'PCMA';

/** RFC 3551 §6. */
export const PAYLOAD_TYPE: Readonly<Record<G711Law, number>> = { PCMU: 0, PCMA: 8 };

/** Added before µ-law's segments are looked for, in 16-bit samples (ITU-T G.711, table 2a). */
const MU_BIAS = 0x84;
/** A-law inverts every second bit (ITU-T G.711, table 1a). */
const A_TOGGLE = 0x55;

/** Both directions of one law as tables: a byte to a 16-bit sample, and a sample + 32768 to a byte. */
interface LawTables {
  readonly decode: Int16Array;
  readonly encode: Uint8Array;
}

const TABLES: Readonly<Record<G711Law, LawTables>> = {
  PCMU: buildTables(decodeMu, encodeMu),
  PCMA: buildTables(decodeA, encodeA),
};

/** Expands G.711 bytes to 16-bit samples; `into` is at least as long from `at` on. */
export function decodeG711(law: G711Law, bytes: Uint8Array, into: Int16Array, at = 0): void {
  const { decode } = TABLES[law];
  for (let i = 0; i < bytes.length; i++) into[at + i] = decode[bytes[i]!]!;
}

/** Compresses 16-bit samples to G.711 bytes; `into` is at least as long from `at` on. */
export function encodeG711(law: G711Law, samples: Int16Array, into: Uint8Array, at = 0): void {
  const { encode } = TABLES[law];
  for (let i = 0; i < samples.length; i++) into[at + i] = encode[samples[i]! + 32_768]!;
}

function buildTables(decodeOne: (byte: number) => number, encodeOne: (sample: number) => number): LawTables {
  return {
    decode: Int16Array.from({ length: 256 }, (_, byte) => decodeOne(byte)),
    encode: Uint8Array.from({ length: 65_536 }, (_, i) => encodeOne(i - 32_768)),
  };
}

function decodeMu(byte: number): number {
  const code = ~byte & 0xff;
  const magnitude = ((((code & 0x0f) << 3) + MU_BIAS) << ((code & 0x70) >> 4)) - MU_BIAS;
  return code & 0x80 ? -magnitude : magnitude;
}

function encodeMu(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0;
  // Negative values are ones' complement, as in the reference code of ITU-T G.191.
  const magnitude = Math.min((sample < 0 ? ~sample : sample) + MU_BIAS, 0x7fff);
  // The highest set bit, 7 to 14, says which segment it is.
  const segment = 24 - Math.clz32(magnitude);
  return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)) & 0xff;
}

function decodeA(byte: number): number {
  const code = byte ^ A_TOGGLE;
  const segment = (code & 0x70) >> 4;
  const step = ((code & 0x0f) << 4) + 8;
  const magnitude = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return code & 0x80 ? magnitude : -magnitude;
}

function encodeA(sample: number): number {
  const sign = sample >= 0 ? 0x80 : 0;
  // 13 bits; negative values are ones' complement here too.
  const magnitude = (sample >= 0 ? sample : ~sample) >> 3;
  const segment = magnitude < 32 ? 0 : 27 - Math.clz32(magnitude);
  const step = segment < 2 ? (magnitude >> 1) & 0x0f : (magnitude >> segment) & 0x0f;
  return (sign | (segment << 4) | step) ^ A_TOGGLE;
}
