/** The few values of DER (X.690) that a certificate is made of. */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  generalizedTime: 0x18,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  contextSpecific: 0x80,
  constructed: 0x20,
} as const;
/** RFC 5280 §4.1.2.5: from this year on GeneralizedTime. */
const GENERALIZED_TIME_YEAR = 2050;

function value(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

/** In the shortest form. */
function length(size: number): Buffer {
  if (size < 0x80) return Buffer.from([size]);
  const octets: number[] = [];
  for (let rest = size; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

export function sequence(...items: readonly Buffer[]): Buffer {
  return value(TAG.sequence, Buffer.concat(items));
}

export function set(...items: readonly Buffer[]): Buffer {
  return value(TAG.set, Buffer.concat(items));
}

export function boolean(truth: boolean): Buffer {
  return value(TAG.boolean, Buffer.from([truth ? 0xff : 0]));
}

/** Two's complement, most significant octet first. */
export function integer(octets: Buffer): Buffer {
  return value(TAG.integer, octets);
}

/** Whole octets only. */
export function bitString(octets: Buffer): Buffer {
  return value(TAG.bitString, Buffer.concat([Buffer.from([0]), octets]));
}

export function octetString(octets: Buffer): Buffer {
  return value(TAG.octetString, octets);
}

export function utf8(text: string): Buffer {
  return value(TAG.utf8, Buffer.from(text, 'utf8'));
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return value(TAG.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A point in time, to the second. */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
  const isLate = new Date(ms).getUTCFullYear() >= GENERALIZED_TIME_YEAR;
  return isLate
    ? value(TAG.generalizedTime, Buffer.from(digits))
    : value(TAG.utcTime, Buffer.from(digits.slice(2)));
}

/** `[n]` around a value. */
export function explicit(number: number, content: Buffer): Buffer {
  return value(TAG.contextSpecific | TAG.constructed | number, content);
}

/** `[n]` in place of a primitive value's own tag. */
export function implicit(number: number, octets: Buffer): Buffer {
  return value(TAG.contextSpecific | number, octets);
}

function base128(number: number): number[] {
  const octets = [number & 0x7f];
  for (let rest = number >>> 7; rest > 0; rest >>>= 7) octets.unshift(0x80 | (rest & 0x7f));
  return octets;
}
