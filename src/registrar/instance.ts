/** Characters kept of a `+sip.instance`. */
const MAX_ID_CHARS = 200;

/** A phone, and the flow of it when it has several (RFC 5626 §4.2.1), in one text: `<urn:uuid:…>;1`. */
export function instanceKey(id: string, regId: string): string {
  return `${id.slice(0, MAX_ID_CHARS)};${regId}`;
}

/** Whether it names one flow of several. */
export function isFlow(key: string): boolean {
  return !key.endsWith(';');
}

/** The phone alone, and its `reg-id`; `''` without one. */
export function readInstanceKey(key: string): { readonly id: string; readonly regId: string } {
  const at = key.lastIndexOf(';');
  return { id: key.slice(0, at), regId: key.slice(at + 1) };
}
