import { Command } from 'commander';
import { abandonDataDir } from '../app/run-file.js';
import type { RunningServer } from '../app/running-server.js';
import type { LoadedConfig } from '../config/load.js';
import type { LoggerFactory } from '../platform/logger.js';
import { packageVersion } from '../platform/version.js';
import { createLogs } from './logging.js';
import { readSettingsOf, settingsOf, withSettings } from './settings.js';
import { onHangUp } from './until-signal.js';

/** `ims start`: the server in the foreground until SIGINT or SIGTERM. */
export function startCommand(): Command {
  return withSettings(new Command('start').description('start the server in the foreground')).action(
    async (options: Record<string, unknown>) => {
      const loaded = settingsOf(options);
      const logs = createLogs(loaded.config);
      const serving = new Serving();
      const readAgain = () => readSettingsOf(options);
      let server = await serving.start(loaded, logs, readAgain);
      // pm2 (wait_ready) and tests wait for this.
      process.send?.('ready');
      onHangUp(() => server.reload());
      for (;;) {
        const next = await Promise.race([server.failed, server.restartWanted]);
        if (next instanceof Error) return endFailed(server, logs, next);
        await server.stop();
        logs.for('app').info('starting anew, as an operator asked');
        server = await serving.start(next, logs, readAgain);
      }
    },
  );
}

async function endFailed(server: RunningServer, logs: LoggerFactory, reason: Error): Promise<void> {
  const text = 'a part died that the server cannot go on without; exiting to be started again';
  logs.for('app').fatal({ err: reason }, text);
  await server.stop();
  process.exit(1);
}

/** The server of this process: one after the other, over restarts. */
class Serving {
  private server: RunningServer | undefined;
  private dataDir = '';
  private isStopping = false;

  constructor() {
    const stop = (): void => this.stop();
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  }

  async start(
    loaded: LoadedConfig,
    logs: LoggerFactory,
    readAgain: () => LoadedConfig,
  ): Promise<RunningServer> {
    this.server = undefined;
    this.dataDir = loaded.config.DATA_DIR;
    // Loaded when it is needed: other commands are quicker without.
    const { startServer } = await import('../app.js');
    const server = await startServer(loaded, logs, readAgain);
    this.server = server;
    if (this.isStopping) this.end(server);
    else process.stdout.write(welcome(server.facts));
    return server;
  }

  /** The first signal drains, a second one ends at once. */
  private stop(): void {
    if (this.isStopping) this.abandon();
    this.isStopping = true;
    if (this.server) this.end(this.server);
    // Then `start` sees to it.
    else process.stdout.write('Stops as soon as it has started. Once more ends now.\n');
  }

  /** Calls that are up are left to the next start, as after a crash; it is none all the same. */
  private abandon(): never {
    abandonDataDir(this.dataDir);
    process.exit(1);
  }

  private end(server: RunningServer): void {
    process.stdout.write(
      `Stopping: new calls are refused, calls that are up have ${server.drainSec} s. Once more ends them now.\n`,
    );
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  }
}

/** What a person wants to know now: where it listens, how to get in, what to do next. */
function welcome(facts: RunningServer['facts']): string {
  const { sip, mml, ssh, relay, store, engine, realm, serverIp, generatedPassword, userCount } = facts;
  const [mmlHost, mmlPort] = hostAndPort(mml);
  const port =
    sip
      .find((listener) => listener.startsWith('udp:'))
      ?.split(':')
      .at(-1) ?? '5060';
  const server = port === '5060' ? serverIp : `${serverIp}:${port}`;
  const password = generatedPassword === undefined ? '' : `, password ${generatedPassword} (shown this once)`;
  const first =
    userCount === 0
      ? `add two users     npx ims user add 1001 --password <secret>   and 1002 likewise`
      : `see its users     npx ims user list   (${userCount} so far)`;
  return `
ims-b2bua ${packageVersion()} takes calls

  SIP       ${sip.join('  ')}   realm ${realm}, engine ${engine}
  Media     ${relay === 'embedded' ? 'built-in relay' : relay}
  Store     ${store}
  Console   telnet ${mmlHost} ${mmlPort}   operator admin${password}${sshLine(ssh)}

Try next
  1. ${first}
  2. register a phone  user 1001, its password, server ${server}; another as 1002; call 1002
  3. look at it        npx ims mml "DSP REG"   npx ims mml "LST CDR"   or all by itself: npx ims demo

`;
}

const hostAndPort = (address: string): [string, string] => {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon), address.slice(colon + 1)];
};

/** How to get in by SSH, with what `ssh` asks about at the first connection. */
function sshLine(ssh: RunningServer['facts']['ssh']): string {
  if (!ssh) return '';
  const [host, port] = hostAndPort(ssh.address);
  return `\n            ssh -p ${port} admin@${host.replace(/^\[|\]$/g, '')}   host key ${ssh.fingerprint}`;
}
