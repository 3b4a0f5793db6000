/**
 * What a subscriber's account or a trunk says about the life of calls on its leg; what is absent is as the server has it.
 * Seconds.
 */
export interface LegLimits {
  /** How long it may ring before the call counts as not answered. */
  readonly noAnswerSec?: number;
  /** Longest call, answer to end; the shortest of both legs and the server counts. */
  readonly maxDurationSec?: number;
  /** Without media for so long the call ends; 0: never. */
  readonly silenceSec?: number;
  /** Session interval that its dialogs are offered (RFC 4028), at least 90; 0: only what the peer asks for. */
  readonly sessionSec?: number;
}

/** The limits among what an account or a trunk holds; undefined when it has none of them. */
export function limitsOf(of: LegLimits): LegLimits | undefined {
  const { noAnswerSec, maxDurationSec, silenceSec, sessionSec } = of;
  const all = { noAnswerSec, maxDurationSec, silenceSec, sessionSec };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : (Object.fromEntries(given) as LegLimits);
}
