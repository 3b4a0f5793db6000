import { Command } from 'commander';
import { settingsOf, withSettings } from '../settings.js';
import { CHECKS } from './checks.js';

const MARKS = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;

/** `ims doctor`: looks at ports, addresses, relay, Store and limits, and says what to do. Exits with 1 when something fails. */
export function doctorCommand(): Command {
  return withSettings(
    new Command('doctor').description('check ports, addresses, relay, Store and limits, and say what to do'),
  ).action(async (options: Record<string, unknown>) => {
    const { config } = settingsOf(options);
    let failures = 0;
    for (const check of CHECKS) {
      const finding = await check(config);
      if (!finding) continue;
      const { level, what, advice } = finding;
      if (level === 'fail') failures++;
      process.stdout.write(`${MARKS[level]}  ${what}\n${advice === undefined ? '' : `      -> ${advice}\n`}`);
    }
    process.exitCode = failures > 0 ? 1 : 0;
  });
}
