import { isIP } from 'node:net';
import { PatternError } from '../routing/pattern-parser.js';
import { patternOf, TRANSLATION_KINDS, type TranslationRule } from '../routing/translate.js';
import { ha1 } from '../sip/digest.js';
import { invalid } from './errors.js';
import { parseHostPort } from './host-port.js';
import { parseSource } from './sources.js';
import {
  IDENTITY_HEADERS,
  TRUNK_STATUSES,
  TRUNK_TRANSPORTS,
  type Trunk,
  type TrunkInput,
  type TrunkView,
} from './types.js';

/** What a trunk is unless said otherwise. */
export const TRUNK_DEFAULTS: Omit<Trunk, 'name'> = {
  status: 'ACTIVE',
  address: '',
  transport: 'udp',
  domain: '',
  username: '',
  password: '',
  register: false,
  registerSec: 600,
  sources: [],
  inUsername: '',
  optionsSec: 30,
  downAfter: 3,
  upAfter: 2,
  maxCalls: 0,
  maxRate: 0,
  maxDurationSec: 0,
  silenceSec: 0,
  sessionSec: 0,
  trySec: 12,
  identity: 'NONE',
  anonymous: false,
  fromUser: '',
  trustIdentity: false,
  codecs: [],
  dropCodecs: [],
  transit: false,
  mayReturn: false,
  rules: [],
};

/** Lowest and highest of every number, units as in `Trunk`. */
export const TRUNK_RANGES = {
  registerSec: [60, 86_400],
  optionsSec: [0, 3600],
  downAfter: [1, 20],
  upAfter: [1, 20],
  maxCalls: [0, 100_000],
  maxRate: [0, 1000],
  maxDurationSec: [0, 604_800],
  silenceSec: [0, 86_400],
  sessionSec: [0, 86_400],
  trySec: [1, 60],
} as const satisfies Partial<Record<keyof Trunk, readonly [number, number]>>;

export const MAX_TRUNKS = 1000;
export const MAX_RULES = 100;
const MAX_SOURCES = 50;
const MAX_CODECS = 20;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$/;
const TEXT = /^[^\s"<>@;,\\\u0000-\u001f\u007f]{0,64}$/;
const CODEC = /^[A-Za-z0-9.-]{1,32}$/;
const AFFIX = /^[A-Za-z0-9+*#._$-]{0,64}$/;

export function checkName(name: string): void {
  if (!NAME.test(name)) throw invalid('a name has 1 to 32 letters, digits or any of . _ -');
}

/** A trunk after a change. Throws TrunkError (FIELD_INVALID). */
export function changeTrunk(before: Trunk, input: TrunkInput, realm: string): Trunk {
  const { inPassword, ...given } = input;
  const fields = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const trunk = { ...before, ...fields } as Trunk;
  check(trunk);
  return withInHa1(trunk, before, inPassword, realm);
}

function check(trunk: Trunk): void {
  for (const [field, [min, max]] of Object.entries(TRUNK_RANGES)) {
    const value = trunk[field as keyof typeof TRUNK_RANGES];
    if (!Number.isInteger(value) || value < min || value > max)
      throw invalid(`${field} must be a whole number ${min} to ${max}`);
  }
  if (trunk.sessionSec > 0 && trunk.sessionSec < 90)
    throw invalid('sessionSec must be 90 or more (RFC 4028 §4)');
  oneOf('status', trunk.status, TRUNK_STATUSES);
  oneOf('transport', trunk.transport, TRUNK_TRANSPORTS);
  oneOf('identity', trunk.identity, IDENTITY_HEADERS);
  const { address, domain, sources, codecs, dropCodecs, username, password, register, inUsername } = trunk;
  if (address !== '' && !parseHostPort(address))
    throw invalid('the address must be host or host:port, IPv6 in brackets');
  if (domain !== '' && parseHostPort(domain)?.port !== undefined)
    throw invalid('the domain is a host name or address without a port');
  if (domain !== '' && !parseHostPort(domain)) throw invalid('the domain must be a host name or address');
  for (const text of [username, inUsername, trunk.fromUser])
    if (!TEXT.test(text))
      throw invalid('user names have at most 64 characters, none of them space " < > @ ; ,');
  if (password.length > 128 || /[\u0000-\u001f\u007f]/.test(password))
    throw invalid('a password is one line of at most 128 characters');
  if (sources.length > MAX_SOURCES) throw invalid(`at most ${MAX_SOURCES} sources`);
  const bad = sources.find((source) => !parseSource(source));
  if (bad !== undefined)
    throw invalid(`${bad.slice(0, 64)} is no source; write 192.0.2.0/24, 192.0.2.7 or 192.0.2.7:5080`);
  if (codecs.length > MAX_CODECS || dropCodecs.length > MAX_CODECS)
    throw invalid(`at most ${MAX_CODECS} codecs`);
  if ([...codecs, ...dropCodecs].some((codec) => !CODEC.test(codec)))
    throw invalid('codecs are names such as PCMA, opus or telephone-event');
  if (register && (address === '' || username === '' || password === ''))
    throw invalid('to register, a trunk needs an address, a user name and a password');
}

function oneOf(field: string, value: string, values: readonly string[]): void {
  if (!values.includes(value)) throw invalid(`${field} must be one of ${values.join(', ')}`);
}

/** Keeps what a password is turned into; it goes with the name. */
function withInHa1(trunk: Trunk, before: Trunk, inPassword: string | undefined, realm: string): Trunk {
  const { inHa1: _former, ...rest } = trunk;
  const { inUsername } = trunk;
  if (inUsername === '') return rest;
  if (inPassword === undefined) {
    if (inUsername !== before.inUsername || !before.inHa1)
      throw invalid('a name for incoming calls needs its password');
    return { ...rest, inHa1: before.inHa1 };
  }
  if (inPassword.length < 8 || inPassword.length > 128)
    throw invalid('the password for incoming calls has 8 to 128 characters');
  const of = (algorithm: 'MD5' | 'SHA-256') => ha1(inUsername, realm, inPassword, algorithm);
  return { ...rest, inHa1: { realm, md5: of('MD5'), sha256: of('SHA-256') } };
}

/** Throws TrunkError (FIELD_INVALID). */
export function checkRule(rule: TranslationRule): void {
  const { kind, match, replace } = rule;
  oneOf('kind', kind, TRANSLATION_KINDS);
  if (!AFFIX.test(replace))
    throw invalid('a replacement has at most 64 letters, digits or any of + * # . _ - $');
  if (kind === 'PREFIX' && (!AFFIX.test(match) || match.includes('$')))
    throw invalid('a prefix has at most 64 letters, digits or any of + * # . _ -');
  if (kind === 'REGEX') checkPattern(match);
}

/** Throws TrunkError (FIELD_INVALID). */
export function checkPattern(pattern: string): void {
  try {
    patternOf(pattern);
  } catch (error) {
    if (error instanceof PatternError) throw invalid(error.message);
    throw error;
  }
}

/** Sources of a new trunk that has none: its own address, when that is one. */
export function defaultSources(address: string, given: readonly string[] | undefined): readonly string[] {
  const host = parseHostPort(address)?.host ?? '';
  return given ?? (isIP(host) === 0 ? [] : [host]);
}

export function viewOf(trunk: Trunk): TrunkView {
  const { password, inHa1, ...view } = trunk;
  return { ...view, hasPassword: password !== '', hasInPassword: inHa1 !== undefined };
}
