/** What a plain phone offers: G.711 and telephone-event on `port`. Further lines go into the media section. */
export function audioSdp(
  port: number,
  options: { address?: string; lines?: readonly string[] } = {},
): string {
  const address = options.address ?? '127.0.0.1';
  return sdp(address, [audioSection(port, options.lines)]);
}

/** Audio and video. */
export function videoSdp(audioPort: number, videoPort: number, address = '127.0.0.1'): string {
  return sdp(address, [
    audioSection(audioPort),
    [`m=video ${videoPort} RTP/AVP 96`, 'a=rtpmap:96 H264/90000', 'a=fmtp:96 profile-level-id=42e01f'],
  ]);
}

/** A description with its session part; sections are lists of lines. */
export function sdp(address: string, sections: readonly (readonly string[])[]): string {
  const family = address.includes(':') ? 'IP6' : 'IP4';
  const session = [
    'v=0',
    `o=alice 2890844526 7 IN ${family} ${address}`,
    's=call',
    `c=IN ${family} ${address}`,
    't=0 0',
  ];
  return `${[...session, ...sections.flat()].join('\r\n')}\r\n`;
}

function audioSection(port: number, lines: readonly string[] = []): string[] {
  return [`m=audio ${port} RTP/AVP 0 8 101`, 'a=rtpmap:101 telephone-event/8000', ...lines];
}

/** The port of each m-line. */
export function portsOf(text: string): number[] {
  return [...text.matchAll(/^m=\S+ (\d+)/gm)].map((match) => Number(match[1]));
}
