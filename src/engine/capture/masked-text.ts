/** Header fields that prove who somebody is; their values but for the scheme are nobody's business. */
const CREDENTIALS = /^((?:proxy-)?authorization[ \t]*:[ \t]*[^\s,]*)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/gim;
/** SRTP keys in a description (RFC 4568 §9.1). */
const SDP_KEYS = /^(a=crypto:\S+[ \t]+\S+[ \t]+)[^\r\n]*/gim;
const SDP_TYPE = /^(?:content-type|c)[ \t]*:[ \t]*application\/sdp\b/im;

/**
 * The text of a message as a trace may show it: credentials and media keys are masked, and so are bodies that are no
 * session description, since they carry what people write to each other, or digits of a card.
 */
export function maskedText(text: string): string {
  const end = /\r?\n\r?\n/.exec(text);
  const bodyAt = end ? end.index + end[0].length : text.length;
  const head = text.slice(0, bodyAt);
  return head.replace(CREDENTIALS, '$1 ***') + maskedBody(text.slice(bodyAt), SDP_TYPE.test(head));
}

function maskedBody(body: string, isSdp: boolean): string {
  if (body === '') return '';
  return isSdp ? body.replace(SDP_KEYS, '$1***') : `(${body.length} octets not shown)`;
}
