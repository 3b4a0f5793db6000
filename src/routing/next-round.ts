import type { FailureKind, RoundKind } from './types.js';

/** How one target failed, as far as the search goes on by it. */
export interface TargetFailure {
  /** Final status, or the one that stands for it. */
  readonly status: number;
  /** Made by our own side: nothing answered, or nothing could be sent. */
  readonly isLocal: boolean;
}

/** What a failure means for the search: `search-over` ends the whole of it, `go-on` nothing but this target. */
export type Verdict = 'go-on' | 'search-over';

/**
 * The one table of what follows a failed target:
 *
 * | round  | goes on after                     | the search is over after               |
 * |--------|-----------------------------------|----------------------------------------|
 * | phones | all else                          | 6xx (RFC 3261 §16.7 step 5)            |
 * | group  | everything: a member speaks for itself only |                              |
 * | trunk  | 408, 5xx, nothing sent or answered | all else: 404, 486, 600, 603 above all |
 * | room   | nothing: there is one               | everything                             |
 */
export function verdictOn(kind: RoundKind, failure: TargetFailure): Verdict {
  switch (kind) {
    case 'phones':
      return failure.status >= 600 ? 'search-over' : 'go-on';
    case 'group':
      return 'go-on';
    case 'trunk':
      return failure.isLocal || failure.status === 408 || isServerError(failure.status)
        ? 'go-on'
        : 'search-over';
    case 'room':
      return 'search-over';
  }
}

/** What a failure is to the callee's forwarding; undefined when nothing is forwarded after it: the callee said no. */
export function failureKind({ status, isLocal }: TargetFailure): FailureKind | undefined {
  if (isLocal) return 'unreachable';
  if (status === 486 || status === 600) return 'busy';
  if ([404, 408, 410, 480].includes(status) || isServerError(status)) return 'unreachable';
  return undefined;
}

const isServerError = (status: number): boolean => status >= 500 && status < 600;
