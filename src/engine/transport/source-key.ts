const GROUPS_OF_64_BITS = 4;
const GROUPS = 8;

/**
 * What the messages of one source are counted under: an IPv4 address, or the /64 of an IPv6 address, since whoever
 * has one address of a /64 usually has them all.
 */
export function sourceKey(address: string): string {
  if (!address.includes(':')) return address;
  let end = -1;
  for (let i = 0; i < GROUPS_OF_64_BITS; i++) {
    const colon = address.indexOf(':', end + 1);
    if (colon <= end + 1) return writtenOut(address);
    end = colon;
  }
  return address.slice(0, end);
}

/** The same where `::` stands among the first four groups. */
function writtenOut(address: string): string {
  const gap = address.indexOf('::');
  const head = gap === 0 ? [] : address.slice(0, gap).split(':');
  const tail = address.slice(gap + 2).split(':');
  const zeros = Math.max(GROUPS - head.length - tail.length, 0);
  return [...head, ...new Array<string>(zeros).fill('0'), ...tail].slice(0, GROUPS_OF_64_BITS).join(':');
}
