import { setTimeout as delay } from 'node:timers/promises';

/** Polls `condition` until it holds; fails, naming `what`, after `timeoutMs` milliseconds (default 10 s). */
export async function waitFor(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 10_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await delay(10);
  }
}
