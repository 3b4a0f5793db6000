/** RFC spelling of header names, each with its compact form if it has one (IANA "SIP Parameters": Header Fields). */
const NAMES: readonly (readonly [name: string, compact?: string])[] = [
  ['Accept'],
  ['Accept-Contact', 'a'],
  ['Accept-Encoding'],
  ['Accept-Language'],
  ['Alert-Info'],
  ['Allow'],
  ['Allow-Events', 'u'],
  ['Answer-Mode'],
  ['Authentication-Info'],
  ['Authorization'],
  ['Call-ID', 'i'],
  ['Call-Info'],
  ['Contact', 'm'],
  ['Content-Disposition'],
  ['Content-Encoding', 'e'],
  ['Content-ID'],
  ['Content-Language'],
  ['Content-Length', 'l'],
  ['Content-Type', 'c'],
  ['CSeq'],
  ['Date'],
  ['Diversion'],
  ['Error-Info'],
  ['Event', 'o'],
  ['Expires'],
  ['Feature-Caps'],
  ['Flow-Timer'],
  ['From', 'f'],
  ['Geolocation'],
  ['Geolocation-Error'],
  ['Geolocation-Routing'],
  ['History-Info'],
  ['Identity', 'y'],
  ['Identity-Info', 'n'],
  ['In-Reply-To'],
  ['Info-Package'],
  ['Join'],
  ['Max-Breadth'],
  ['Max-Forwards'],
  ['MIME-Version'],
  ['Min-Expires'],
  ['Min-SE'],
  ['Organization'],
  ['P-Access-Network-Info'],
  ['P-Asserted-Identity'],
  ['P-Associated-URI'],
  ['P-Called-Party-ID'],
  ['P-Charging-Function-Addresses'],
  ['P-Charging-Vector'],
  ['P-Early-Media'],
  ['P-Preferred-Identity'],
  ['P-Visited-Network-ID'],
  ['Path'],
  ['Permission-Missing'],
  ['Priority'],
  ['Privacy'],
  ['Proxy-Authenticate'],
  ['Proxy-Authorization'],
  ['Proxy-Require'],
  ['RAck'],
  ['Reason'],
  ['Record-Route'],
  ['Recv-Info'],
  ['Refer-Sub'],
  ['Refer-To', 'r'],
  ['Referred-By', 'b'],
  ['Reject-Contact', 'j'],
  ['Replaces'],
  ['Reply-To'],
  ['Request-Disposition', 'd'],
  ['Require'],
  ['Resource-Priority'],
  ['Retry-After'],
  ['Route'],
  ['RSeq'],
  ['Security-Client'],
  ['Security-Server'],
  ['Security-Verify'],
  ['Server'],
  ['Service-Route'],
  ['Session-Expires', 'x'],
  ['Session-ID'],
  ['SIP-ETag'],
  ['SIP-If-Match'],
  ['Subject', 's'],
  ['Subscription-State'],
  ['Supported', 'k'],
  ['Target-Dialog'],
  ['Timestamp'],
  ['To', 't'],
  ['Unsupported'],
  ['User-Agent'],
  ['User-to-User'],
  ['Via', 'v'],
  ['Warning'],
  ['WWW-Authenticate'],
  ['X-Forwarded-For'],
];

/** The one object that the engine keeps for a string used as a property name: comparing two of them is comparing pointers. */
const intern = (text: string): string => Object.keys({ [text]: true })[0] ?? text;

const KEY_BY_SPELLING = new Map<string, string>();
const NAME_BY_KEY = new Map<string, string>();
for (const [name, compact] of NAMES) {
  const key = intern(name.toLowerCase());
  NAME_BY_KEY.set(key, name);
  for (const spelling of [key, name, name.toUpperCase()]) KEY_BY_SPELLING.set(spelling, key);
  if (compact !== undefined)
    for (const spelling of [compact, compact.toUpperCase()]) KEY_BY_SPELLING.set(spelling, key);
}

/** Key of a known name in one of its usual spellings, which is then also sure to be a token; else undefined. */
export function usualKey(name: string): string | undefined {
  return KEY_BY_SPELLING.get(name);
}

/**
 * The key a header is found by: its full name in lower case, compact forms expanded (RFC 3261 §7.3.3).
 * A usual spelling of a known name costs one look-up and always gives the same string object.
 */
export function canonicalKey(name: string): string {
  const known = KEY_BY_SPELLING.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  return KEY_BY_SPELLING.get(lower) ?? lower;
}

/** The RFC's spelling of a key, e.g. `Call-ID`; unknown names get a capital after each dash. */
export function canonicalName(key: string): string {
  const known = NAME_BY_KEY.get(canonicalKey(key));
  return (
    known ??
    key.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, char: string) => dash + char.toUpperCase())
  );
}
