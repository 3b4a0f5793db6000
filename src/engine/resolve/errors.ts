import { AppError } from '../../platform/errors.js';

/** A next hop that cannot be found (RFC 3263); the request that wanted it is as good as answered with 503. */
export class ResolveError extends AppError {
  declare readonly code: 'HOST_NOT_FOUND' | 'RESOLVE_TIMEOUT' | 'RESOLVER_BUSY' | 'UNKNOWN_TRANSPORT';

  constructor(code: ResolveError['code'], message: string, cause?: unknown) {
    super(code, message, { sipStatus: 503, ...(cause === undefined ? {} : { cause }) });
  }
}

/** One DNS server gave no usable answer, or none of them did. */
export class DnsError extends AppError {
  declare readonly code: 'DNS_NO_ANSWER' | 'DNS_SERVER_FAILURE' | 'DNS_BUSY';

  constructor(code: DnsError['code'], message: string, cause?: unknown) {
    super(code, message, cause === undefined ? {} : { cause });
  }
}
