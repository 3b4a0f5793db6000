/** Why a request was not authenticated. `uri-mismatch`, `inactive` and `throttled` are not helped by another challenge. */
export type AuthFailure =
  | 'no-credentials'
  | 'malformed'
  | 'stale-nonce'
  | 'replayed'
  | 'uri-mismatch'
  | 'wrong-credentials'
  | 'inactive'
  | 'throttled';
