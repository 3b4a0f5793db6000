let lastNumber = 0;

export interface RequestText {
  method?: string;
  uri?: string;
  /** Value of the top Via without branch. */
  via?: string;
  branch?: string;
  callId?: string;
  cseq?: number;
  cseqMethod?: string;
  fromTag?: string;
  toTag?: string;
  /** Further header lines. */
  headers?: readonly string[];
  body?: string;
}

/** The text of a request as a phone would write it; each call has its own branch and Call-ID unless given. */
export function requestText(options: RequestText = {}): string {
  const number = ++lastNumber;
  const method = options.method ?? 'OPTIONS';
  const body = options.body ?? '';
  const via = options.via ?? 'SIP/2.0/UDP 127.0.0.1:5060';
  return [
    `${method} ${options.uri ?? 'sip:ims@127.0.0.1'} SIP/2.0`,
    `Via: ${via};branch=${options.branch ?? `z9hG4bKtest${number}`}`,
    'Max-Forwards: 70',
    `From: <sip:alice@127.0.0.1>;tag=${options.fromTag ?? 'a1'}`,
    `To: <sip:bob@127.0.0.1>${options.toTag === undefined ? '' : `;tag=${options.toTag}`}`,
    `Call-ID: ${options.callId ?? `call${number}@test`}`,
    `CSeq: ${options.cseq ?? 1} ${options.cseqMethod ?? method}`,
    ...(options.headers ?? []),
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
}

/** The text of a response to `request` (text): Via, From, To with a tag, Call-ID and CSeq taken over. */
export function responseText(
  request: string,
  statusCode: number,
  options: { toTag?: string; headers?: readonly string[] } = {},
): string {
  const lines = request.split('\r\n');
  const kept = lines.filter((line) => /^(Via|From|Call-ID|CSeq):/i.test(line));
  const to = lines.find((line) => /^To:/i.test(line)) ?? '';
  const tag = statusCode === 100 || to.includes(';tag=') ? '' : `;tag=${options.toTag ?? 'b1'}`;
  const head = [`SIP/2.0 ${statusCode} Test`, ...kept, to + tag, ...(options.headers ?? [])];
  return [...head, 'Content-Length: 0', '', ''].join('\r\n');
}

/** Value of a header field in a message's text. */
export function headerOf(message: string, name: string): string | undefined {
  return new RegExp(`^${name}: *(.*)$`, 'im').exec(message)?.[1]?.trim();
}

/** All values of a header field in a message's text, one a line. */
export function headersOf(message: string, name: string): string[] {
  const head = message.slice(0, message.indexOf('\r\n\r\n') + 2);
  return [...head.matchAll(new RegExp(`^${name}: *(.*)\r$`, 'gim'))].map((match) => match[1]!.trim());
}

/** Status code of a response's text; undefined for anything else. */
export function statusOf(message: string): number | undefined {
  const status = /^SIP\/2\.0 (\d{3}) /.exec(message)?.[1];
  return status === undefined ? undefined : Number(status);
}
