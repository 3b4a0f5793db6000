import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PATHS = `${process.env['PATH'] ?? ''}:/usr/sbin`.split(':');
const isCi = /^(true|1)$/i.test(process.env['CI'] ?? '');

/**
 * For a test's `skip` option: why it cannot run here, or false. In CI nothing is skipped: a missing peer then
 * fails the test that needs it.
 */
export function missing(...programs: readonly string[]): string | false {
  const absent = programs.filter((name) => !PATHS.some((dir) => existsSync(`${dir}/${name}`)));
  return absent.length > 0 && !isCi ? `not installed: ${absent.join(', ')}` : false;
}

/** Where a program stands. */
export function programPath(name: string): string {
  return PATHS.map((dir) => `${dir}/${name}`).find((path) => existsSync(path)) ?? name;
}

/** Runs a program to its end; for short-lived peers. */
export function runToEnd(
  name: string,
  args: readonly string[],
  timeoutMs: number,
): { status: number | null; output: string } {
  const run = spawnSync(programPath(name), args, { timeout: timeoutMs, encoding: 'utf8' });
  return { status: run.status, output: `${run.stdout}${run.stderr}` };
}
