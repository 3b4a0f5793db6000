import { AppError } from '../../platform/errors.js';

/** What went wrong below the transaction layer. */
export type TransportErrorCode =
  | 'LISTEN_FAILED'
  | 'NO_LISTENER'
  | 'CONNECT_FAILED'
  | 'CONNECT_TIMEOUT'
  | 'CONNECTION_CLOSED'
  | 'CONNECTION_LIMIT'
  | 'FLOW_FAILED'
  | 'SEND_FAILED'
  | 'PEER_REFUSED'
  | 'PEER_TOO_SLOW';

/**
 * A transport failure; a request that dies of it is as good as answered with 503 (RFC 3261 §8.1.3.1), or with 430 when
 * its flow is gone and nothing else leads to the peer.
 */
export class TransportError extends AppError {
  declare readonly code: TransportErrorCode;

  constructor(code: TransportErrorCode, message: string, cause?: unknown) {
    super(code, message, {
      sipStatus: code === 'FLOW_FAILED' ? 430 : 503,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
