/** Audio by PCMU at an address, in the direction given; `port` 0 refuses the stream (RFC 4566, RFC 3264). */
export function audioSdp(address: string, port: number, direction = 'sendrecv', version = 1): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  return [
    'v=0',
    `o=phone 1 ${version} IN ${family} ${address}`,
    's=-',
    `c=IN ${family} ${address}`,
    't=0 0',
    `m=audio ${port} RTP/AVP 0`,
    'a=rtpmap:0 PCMU/8000',
    'a=ptime:20',
    `a=${direction}`,
    '',
  ].join('\r\n');
}

/** Where a description wants its first stream sent to. */
export function mediaTarget(sdp: string): { address: string; port: number } | undefined {
  const port = /^m=\S+ (\d+)/m.exec(sdp)?.[1];
  const address = /^c=IN IP[46] (\S+)/m.exec(sdp)?.[1];
  return port === undefined || address === undefined ? undefined : { address, port: Number(port) };
}
