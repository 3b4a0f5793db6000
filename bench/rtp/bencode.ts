/** What the NG protocol of rtpengine is made of. */
export type Bencoded = string | number | Bencoded[] | { [key: string]: Bencoded };

/** Writes a value as bencode; strings are taken as latin1. */
export function bencode(value: Bencoded): string {
  if (typeof value === 'number') return `i${value}e`;
  if (typeof value === 'string') return `${value.length}:${value}`;
  if (Array.isArray(value)) return `l${value.map(bencode).join('')}e`;
  const pairs = Object.entries(value).map(([key, each]) => bencode(key) + bencode(each));
  return `d${pairs.join('')}e`;
}

/** Reads one bencoded value; throws Error when the text is none. */
export function parseBencode(text: string): Bencoded {
  return read(text, 0).value;
}

function read(text: string, at: number): { value: Bencoded; next: number } {
  const kind = text[at];
  if (kind === 'i') {
    const end = text.indexOf('e', at);
    return { value: Number(text.slice(at + 1, end)), next: end + 1 };
  }
  if (kind === 'l' || kind === 'd') return readMany(text, at);
  const colon = text.indexOf(':', at);
  const length = Number(text.slice(at, colon));
  if (colon < 0 || !Number.isInteger(length))
    throw new Error(`no bencode at ${at}: ${text.slice(at, at + 20)}`);
  return { value: text.slice(colon + 1, colon + 1 + length), next: colon + 1 + length };
}

function readMany(text: string, at: number): { value: Bencoded; next: number } {
  const items: Bencoded[] = [];
  let next = at + 1;
  while (text[next] !== 'e') {
    const item = read(text, next);
    items.push(item.value);
    next = item.next;
  }
  next++;
  if (text[at] === 'l') return { value: items, next };
  const pairs = items.flatMap((key, i) => (i % 2 === 0 ? [[String(key), items[i + 1] ?? ''] as const] : []));
  return { value: Object.fromEntries(pairs), next };
}
