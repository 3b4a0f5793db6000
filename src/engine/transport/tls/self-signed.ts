import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  octetString,
  oid,
  sequence,
  set,
  time,
  utf8,
} from './der.js';

const DAY_MS = 86_400_000;
/** Browsers take no longer ones. */
const LIFETIME_DAYS = 825;

/** ecdsa-with-SHA256 */
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));
const COMMON_NAME = '2.5.4.3';
const SUBJECT_ALT_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const KEY_USAGE = '2.5.29.15';
const EXTENDED_KEY_USAGE = '2.5.29.37';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';
/** dNSName and iPAddress of a GeneralName (RFC 5280 §4.2.1.6). */
const DNS_NAME = 2;
const IP_ADDRESS = 7;

export interface SelfSigned {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

/**
 * A new P-256 key and a certificate of it, signed by itself, for host names and IP addresses (RFC 5280 §4.1). Enough to
 * start with: phones and browsers trust it only when told to. Good for 825 days from the day before `nowMs` on.
 */
export function createSelfSigned(names: readonly string[], nowMs: number): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(oid(COMMON_NAME), utf8(names[0] ?? 'localhost'))));
  const startMs = nowMs - DAY_MS;
  const body = sequence(
    explicit(0, integer(Buffer.from([2]))),
    // Positive, at most 20 octets.
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    ECDSA_SHA256,
    name,
    sequence(time(startMs), time(startMs + LIFETIME_DAYS * DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    explicit(3, extensions(names)),
  );
  const signature = sign('sha256', body, privateKey);
  return {
    certificate: pem(sequence(body, ECDSA_SHA256, bitString(signature))),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(names: readonly string[]): Buffer {
  return sequence(
    extension(BASIC_CONSTRAINTS, true, sequence()),
    // digitalSignature alone
    extension(KEY_USAGE, true, Buffer.from([0x03, 0x02, 0x07, 0x80])),
    extension(EXTENDED_KEY_USAGE, false, sequence(oid(SERVER_AUTH), oid(CLIENT_AUTH))),
    extension(SUBJECT_ALT_NAME, false, sequence(...names.map(generalName))),
  );
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(isCritical ? [boolean(true)] : []), octetString(value));
}

function generalName(name: string): Buffer {
  if (isIP(name) > 0) return implicit(IP_ADDRESS, Buffer.from(ipaddr.parse(name).toByteArray()));
  return implicit(DNS_NAME, Buffer.from(name, 'latin1'));
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
