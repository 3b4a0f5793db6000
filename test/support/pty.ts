import { type ChildProcess, spawn } from 'node:child_process';

const WAIT_MS = 15_000;

/** A command under a pseudo-terminal (`script` of util-linux), with what it shows. */
export class Pty {
  private shown = '';
  private seen = 0;
  private wake: () => void = () => {};
  exitCode: number | undefined;

  private constructor(private readonly child: ChildProcess) {
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      this.shown += chunk;
      this.wake();
    });
    // Behind the last of what it shows.
    child.on('close', (code) => {
      this.exitCode = code ?? -1;
      this.wake();
    });
  }

  /**
   * Starts a program, as a shell reads `command`, in a terminal of the given size. It takes the place of the shell: one
   * that stayed beside it would die of a Ctrl-C that the program lives through. The shell runs `first` before.
   */
  static start(
    command: string,
    size: { columns: number; rows: number } = { columns: 80, rows: 24 },
    first = 'true',
  ): Pty {
    const inTerminal = `stty cols ${size.columns} rows ${size.rows}; ${first}; exec ${command}`;
    const env = { ...process.env, SHELL: '/bin/sh', TERM: 'xterm', LANG: 'C.UTF-8' };
    return new Pty(
      spawn('script', ['-qec', inTerminal, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] }),
    );
  }

  type(keys: string): void {
    this.child.stdin!.write(keys);
  }

  /** Waits for a text after what was waited for before; returns all up to and with it. */
  async until(wanted: string): Promise<string> {
    const deadline = Date.now() + WAIT_MS;
    for (;;) {
      const at = this.shown.indexOf(wanted, this.seen);
      if (at >= 0) {
        const part = this.shown.slice(this.seen, at + wanted.length);
        this.seen = at + wanted.length;
        return part;
      }
      await this.change(deadline, wanted);
    }
  }

  async untilExit(): Promise<number> {
    const deadline = Date.now() + WAIT_MS;
    while (this.exitCode === undefined) await this.change(deadline, 'exit');
    return this.exitCode;
  }

  get text(): string {
    return this.shown;
  }

  close(): void {
    this.child.kill('SIGKILL');
  }

  private async change(deadline: number, wanted: string): Promise<void> {
    const leftMs = deadline - Date.now();
    if (leftMs <= 0 || (this.exitCode !== undefined && wanted !== 'exit')) {
      throw new Error(`no ${JSON.stringify(wanted)} in ${JSON.stringify(this.shown.slice(-600))}`);
    }
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leftMs);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
