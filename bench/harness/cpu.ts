import { readdirSync, readFileSync } from 'node:fs';

const MS_PER_TICK = 10;

/** CPU used so far, milliseconds of user and system time, by thread id. */
export type ThreadTimes = ReadonlyMap<number, number>;

/** CPU time of each thread of a process and of the processes it started. */
export function threadTimes(pid: number): ThreadTimes {
  const times = new Map<number, number>();
  for (const each of [pid, ...descendants(pid)]) {
    for (const tid of list(`/proc/${each}/task`)) {
      const ms = cpuMs(`/proc/${each}/task/${tid}`);
      if (ms !== undefined) times.set(Number(tid), ms);
    }
  }
  return times;
}

/** What was used between two looks, a thread that has gone counting as nothing. */
export function usedBetween(before: ThreadTimes, after: ThreadTimes): ThreadTimes {
  return new Map([...after].map(([tid, ms]) => [tid, ms - (before.get(tid) ?? 0)]));
}

export function sumMs(times: ThreadTimes): number {
  let sum = 0;
  for (const ms of times.values()) sum += ms;
  return sum;
}

/** The scheduler's own count in nanoseconds where the kernel keeps one, else clock ticks. */
function cpuMs(dir: string): number | undefined {
  try {
    return Number(readFileSync(`${dir}/schedstat`, 'utf8').split(' ', 1)[0]) / 1e6;
  } catch {
    try {
      // Fields after the command's name, which may hold spaces: state is the third of proc(5), utime the fourteenth.
      const fields = readFileSync(`${dir}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
    } catch {
      return undefined;
    }
  }
}

function descendants(pid: number): number[] {
  const children = list(`/proc/${pid}/task`).flatMap((tid) => {
    try {
      const text = readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8').trim();
      return text === '' ? [] : text.split(/\s+/).map(Number);
    } catch {
      return [];
    }
  });
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

/** The middle value; of an even number the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}
