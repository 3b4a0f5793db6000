const GROUPS_OF_64_BITS = 4;
const GROUPS = 8;

/**
 * What the messages of one source are counted under: an IPv4 address, or the /64 of an IPv6 address, since whoever
 * has one address of a /64 usually has them all.
 */
export function sourceKey(address: string): string {
  if (!address.includes(':')) return address;
  const gap = address.indexOf('::');
  const head = (gap < 0 ? address : address.slice(0, gap)).split(':');
  if (head.length >= GROUPS_OF_64_BITS) return head.slice(0, GROUPS_OF_64_BITS).join(':');
  if (head[0] === '') head.length = 0;
  const tail = address.slice(gap + 2).split(':');
  const zeros = Math.max(GROUPS - head.length - tail.length, 0);
  return [...head, ...new Array<string>(zeros).fill('0'), ...tail].slice(0, GROUPS_OF_64_BITS).join(':');
}
