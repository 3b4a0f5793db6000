import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pty } from './pty.js';

/** How a run of `ssh` ended. */
export interface SshRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface SshOptions {
  readonly name?: string;
  readonly password?: string;
  /** Further options of `ssh`, such as `-v` or `-o Ciphers=…`. */
  readonly options?: readonly string[];
  readonly input?: string;
  /** At a terminal: print its name first. */
  readonly tellTty?: boolean;
}

/** The real openssh client, with files of its own and a password that is typed by SSH_ASKPASS. */
export class SshClient {
  private readonly directory = mkdtempSync(join(tmpdir(), 'ims-ssh-'));
  private readonly running = new Set<ChildProcess>();
  readonly knownHosts = join(this.directory, 'known_hosts');

  constructor(private readonly port: number) {
    writeFileSync(join(this.directory, 'askpass'), '#!/bin/sh\necho "$SSH_TEST_PASSWORD"\n', { mode: 0o700 });
  }

  /** Arguments that keep the user's own files and agent out of a test. */
  args({ name = 'admin', options = [] }: SshOptions = {}): string[] {
    const settings = [
      `UserKnownHostsFile=${this.knownHosts}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=accept-new',
      'IdentityAgent=none',
      'IdentityFile=/dev/null',
      'LogLevel=ERROR',
    ].flatMap((setting) => ['-o', setting]);
    return ['-F', '/dev/null', '-p', String(this.port), ...settings, ...options, `${name}@127.0.0.1`];
  }

  /** Starts `ssh` without a terminal; `command` is run there, or lines of input are. */
  spawn(command: string | undefined, given: SshOptions = {}): ChildProcess {
    const child = spawn('ssh', [...this.args(given), ...(command === undefined ? [] : [command])], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        SSH_ASKPASS: join(this.directory, 'askpass'),
        SSH_ASKPASS_REQUIRE: 'force',
        SSH_TEST_PASSWORD: given.password ?? 'secret',
      },
    });
    this.running.add(child);
    child.once('exit', () => this.running.delete(child));
    child.stdin!.on('error', () => undefined);
    return child;
  }

  /** Runs `ssh` to its end. */
  async run(command: string | undefined, given: SshOptions = {}): Promise<SshRun> {
    const child = this.spawn(command, given);
    let stdout = '';
    let stderr = '';
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.stdin!.end(given.input ?? '');
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? -1, stdout, stderr };
  }

  /** `ssh` under a pseudo-terminal, before its password is asked for. */
  atTerminal(command = '', given: SshOptions = {}, size?: { columns: number; rows: number }): Pty {
    const quoted = this.args(given)
      .map((arg) => `'${arg}'`)
      .join(' ');
    return Pty.start(`ssh ${quoted} ${command}`, size, given.tellTty ? 'tty' : undefined);
  }

  close(): void {
    for (const child of this.running) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }
}
