import type { Clock } from '../../platform/clock.js';
import { pause } from '../../platform/pause.js';
import { text } from '../text.js';
import type { Command, CommandResult, ParamSpec } from './command.js';
import type { LiveReport } from './live-report.js';
import { number } from './param-types.js';

/** `WATCH=`: the report anew every so many seconds, for any command that declares it; the executor does the rest. */
export const WATCH = {
  type: number(1, 3600),
  purpose: text('Show it anew every so many seconds until Ctrl-C', '每隔若干秒刷新一次，Ctrl-C 结束'),
  example: '2',
} as const satisfies ParamSpec;

/** Seconds between the reports when the command is to be watched; undefined when it is not. */
export function watchSeconds(
  command: Command,
  values: Readonly<Record<string, unknown>>,
): number | undefined {
  const seconds = command.params['WATCH'] === WATCH ? values['WATCH'] : undefined;
  return typeof seconds === 'number' ? seconds : undefined;
}

/** Runs a command every so many seconds; each run gets what the one before kept. */
export function watchReport(
  everySec: number,
  clock: Clock,
  run: (signal: AbortSignal, kept: unknown) => Promise<CommandResult>,
): LiveReport {
  return {
    kind: 'watch',
    async *parts(signal) {
      let kept: unknown;
      while (!signal.aborted) {
        const started = clock.monotonic();
        const result = await run(signal, kept);
        kept = result.keep;
        yield result;
        await pause(clock, everySec * 1000 - (clock.monotonic() - started), signal);
      }
    },
  };
}
