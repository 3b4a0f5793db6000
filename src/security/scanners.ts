/** User-Agents of programs that look for SIP servers and guess at them. Those who mean harm well hide it; these do not. */
const SCANNERS =
  /friendly-scanner|sipvicious|sundayddr|sipcli|sip-?scan|siparmyknife|svmap|svwar|svcrack|vaxsipuseragent|pplsip|iwar\b|smap\b/i;

/** Whether a User-Agent value is one of a known scanner. */
export function isScanner(userAgent: string | undefined): boolean {
  return userAgent !== undefined && SCANNERS.test(userAgent);
}
