import { Command } from 'commander';
import type { RunningServer } from '../app.js';
import { packageVersion } from '../platform/version.js';
import { createLogs } from './logging.js';
import { settingsOf, withSettings } from './settings.js';
import { onHangUp } from './until-signal.js';

/** `ims start`: the server in the foreground until SIGINT or SIGTERM. */
export function startCommand(): Command {
  return withSettings(new Command('start').description('start the server in the foreground')).action(
    async (options: Record<string, unknown>) => {
      const { config } = settingsOf(options);
      const logs = createLogs(config);
      // Loaded when it is needed: other commands are quicker without.
      const { startServer } = await import('../app.js');
      const server = await startServer(config, logs);
      stopOnSignal(server, config.DRAIN_SEC);
      onHangUp(() => server.reload());
      process.stdout.write(welcome(server.facts));
      // pm2 (wait_ready) and tests wait for this.
      process.send?.('ready');
      void server.failed.then(async (reason) => {
        logs
          .for('app')
          .fatal(
            { err: reason },
            'a part died that the server cannot go on without; exiting to be started again',
          );
        await server.stop();
        process.exit(1);
      });
    },
  );
}

/** The first signal drains, a second one ends at once. */
function stopOnSignal(server: RunningServer, drainSec: number): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    process.stdout.write(
      `Stopping: new calls are refused, calls that are up have ${drainSec} s. Once more ends them now.\n`,
    );
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

/** What a person wants to know now: where it listens, how to get in, what to do next. */
function welcome(facts: RunningServer['facts']): string {
  const { sip, mml, relay, store, engine, realm, serverIp, generatedPassword, userCount } = facts;
  const [mmlHost, mmlPort] = [mml.slice(0, mml.lastIndexOf(':')), mml.slice(mml.lastIndexOf(':') + 1)];
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
  Console   telnet ${mmlHost} ${mmlPort}   operator admin${password}

Try next
  1. ${first}
  2. register a phone  user 1001, its password, server ${server}; another as 1002; call 1002
  3. look at it        npx ims mml "DSP REG"   npx ims mml "LST CDR"   or all by itself: npx ims demo

`;
}
