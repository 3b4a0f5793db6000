import type { Command } from './command.js';
import { CommandError, ERROR } from './error-codes.js';
import type { RelayCounters } from './media-leg.js';
import { knownModifiers } from './query.js';

/** What a relay counts beside packets, since start. */
export interface RelayTallies {
  created: number;
  timedOut: number;
  /** Sessions that got ports on both sides. */
  complete: number;
  commands: number;
  succeeded: number;
  errors: number;
}

/** All figures of a relay at one moment. */
export interface RelayFigures {
  readonly tallies: RelayTallies;
  readonly counters: RelayCounters;
  readonly activeSessions: number;
  readonly maxSessions: number;
}

/** Answers `I[b][l]`. RTPProxy counts two streams a session. Throws CommandError. */
export function answerInfo(command: Command, figures: RelayFigures): string {
  const letters = knownModifiers(command.modifiers, 'bl', ERROR.INFO_MODIFIER);
  const { activeSessions, counters, tallies } = figures;
  const lines = [
    `sessions created: ${tallies.created}`,
    `active sessions: ${activeSessions}`,
    `active streams: ${2 * activeSessions}`,
    `packets received: ${counters.packetsReceived}`,
    `packets transmitted: ${counters.packetsRelayed}`,
  ];
  if (letters.has('l')) lines.push(`average load: ${(activeSessions / figures.maxSessions).toFixed(6)}`);
  return lines.join('\n');
}

const COUNTERS: Readonly<Record<string, (figures: RelayFigures) => number>> = {
  nsess_created: ({ tallies }) => tallies.created,
  nsess_destroyed: ({ tallies, activeSessions }) => tallies.created - activeSessions,
  nsess_timeout: ({ tallies }) => tallies.timedOut,
  nsess_complete: ({ tallies }) => tallies.complete,
  npkts_rcvd: ({ counters }) => counters.packetsReceived,
  npkts_relayed: ({ counters }) => counters.packetsRelayed,
  npkts_discard: ({ counters }) => counters.packetsDropped,
  ncmds_rcvd: ({ tallies }) => tallies.commands,
  ncmds_succd: ({ tallies }) => tallies.succeeded,
  ncmds_errs: ({ tallies }) => tallies.errors,
  ncmds_repld: ({ tallies }) => tallies.succeeded + tallies.errors,
};

/** Answers `G[v] [counter ...]`. Throws CommandError. */
export function answerCounters(command: Command, figures: RelayFigures): string {
  const isVerbose = knownModifiers(command.modifiers, 'v', ERROR.STATS_MODIFIER).has('v');
  return command.args
    .map((name) => {
      const counter = Object.hasOwn(COUNTERS, name) ? COUNTERS[name] : undefined;
      if (!counter) throw new CommandError(ERROR.STATS_COUNTER);
      return isVerbose ? `${name}=${counter(figures)}` : String(counter(figures));
    })
    .join(' ');
}
