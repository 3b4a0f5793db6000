import { readFileSync } from 'node:fs';

/**
 * When a process began, as text: boot id and ticks since boot, from /proc; undefined where there is none. With its id it
 * names one process among all that ever had that id, over reboots and in containers too.
 */
export function processMark(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    // The name in brackets may hold spaces; field 22 is counted from behind it.
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
  } catch {
    return undefined;
  }
}

/** Whether the process with that id and mark still runs. Without a mark only the id is asked for. */
export function isProcessRunning(pid: number, mark: string | undefined): boolean {
  if (mark) return processMark(pid) === mark;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
