import { badRequest, type Problem } from './errors.js';
import { type SipMessage, SipRequest, SipResponse } from './message.js';
import { isToken } from './token.js';
import { uriScheme } from './uri.js';

/** A start line as far as it could be read, and the first thing wrong with it. */
export interface StartLine {
  readonly message?: SipMessage;
  readonly problem?: Problem | undefined;
  readonly isResponse: boolean;
}

const BAD_REQUEST_LINE = badRequest('Bad Request-Line');
const BAD_STATUS_LINE: StartLine = { problem: badRequest('Bad Status-Line'), isResponse: true };
/** RFC 3261 §21.5.6. */
const VERSION_NOT_SUPPORTED: Problem = { statusCode: 505, reasonPhrase: 'Version Not Supported' };
/** Any SIP-Version; versions compare without regard to case (RFC 3261 §7.1). */
const VERSION = /^SIP\/\d+\.\d+$/i;

function versionProblem(version: string): Problem | undefined {
  if (version === 'SIP/2.0' || version.toUpperCase() === 'SIP/2.0') return undefined;
  return VERSION.test(version) ? VERSION_NOT_SUPPORTED : BAD_REQUEST_LINE;
}

/** A Request-URI of a scheme that we know must be well-formed and without headers (RFC 3261 §19.1.1 table 1). */
function requestUriProblem(request: SipRequest): Problem | undefined {
  const uri = request.uri;
  if (uri) return uri.headers.length === 0 ? undefined : badRequest('Headers in Request-URI');
  const scheme = uriScheme(request.requestUri);
  const isOther = scheme !== undefined && scheme !== 'sip' && scheme !== 'sips' && scheme !== 'tel';
  return isOther && !/[\s<>"]/.test(request.requestUri) ? undefined : badRequest('Bad Request-URI');
}

/** Method SP Request-URI SP SIP-Version, one space each (RFC 3261 §7.1). */
function parseRequestLine(line: string): StartLine {
  const first = line.indexOf(' ');
  const text = line.trimEnd();
  const last = text.lastIndexOf(' ');
  const method = line.substring(0, first);
  if (last <= first || !isToken(method)) return { problem: BAD_REQUEST_LINE, isResponse: false };
  const uri = text.substring(first + 1, last);
  const message = new SipRequest(method, uri.trim());
  // RFC 4475 §3.1.2.8-10: white space inside, around or after the elements.
  const isClean = text === line && !uri.includes(' ') && !uri.includes('\t');
  const problem = versionProblem(text.substring(last + 1)) ?? (isClean ? undefined : BAD_REQUEST_LINE);
  return { message, problem: problem ?? requestUriProblem(message), isResponse: false };
}

/** SIP-Version SP Status-Code SP Reason-Phrase (RFC 3261 §7.2). A missing space before an empty phrase is forgiven. */
function parseStatusLine(line: string): StartLine {
  const match = /^SIP\/2\.0 ([1-6]\d\d)(?: (.*))?$/is.exec(line);
  if (!match) return BAD_STATUS_LINE;
  return { message: new SipResponse(Number(match[1]), match[2] ?? ''), isResponse: true };
}

/** Parses a Request-Line or a Status-Line. */
export function parseStartLine(line: string): StartLine {
  const isResponse = line.substring(0, 4).toUpperCase() === 'SIP/';
  return isResponse ? parseStatusLine(line) : parseRequestLine(line);
}
