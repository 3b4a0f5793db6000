/** What stands before the host of a URL: a name, a password. */
const USERINFO = /:\/\/\S*@/g;

/** A text without the names and passwords of the URLs in it. */
export function maskUserinfo(text: string, mask = '***'): string {
  return text.replace(USERINFO, `://${mask}@`);
}
