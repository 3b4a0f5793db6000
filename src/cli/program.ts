import { Command } from 'commander';
import { AppError } from '../platform/errors.js';
import { packageVersion } from '../platform/version.js';
import { cdrCommand } from './cdr.js';
import { configCommand } from './config.js';
import { demoCommand } from './demo/demo-command.js';
import { doctorCommand } from './doctor/doctor-command.js';
import { engineCommand } from './engine.js';
import { explain } from './explain.js';
import { mmlCommand } from './mml.js';
import { relayCommand } from './relay.js';
import { startCommand } from './start.js';
import { usersCommand } from './user.js';

/** Exit status for a command line or a setting that cannot be used. */
const EXIT_USAGE = 2;

/** Runs the `ims` command. Failures are one line on standard error, with a stack only for our own mistakes. */
export async function run(argv: readonly string[]): Promise<void> {
  const program = new Command('ims')
    .description('A SIP B2BUA: phones register to it, it connects their calls and keeps a record of each.')
    .version(packageVersion());
  for (const command of [
    startCommand(),
    demoCommand(),
    usersCommand(),
    mmlCommand(),
    cdrCommand(),
    configCommand(),
    doctorCommand(),
    engineCommand(),
    relayCommand(),
  ]) {
    program.addCommand(command);
  }
  refuseWrongUse(program);
  // `ims … | head` closes the pipe early; that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  try {
    await program.parseAsync(argv);
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exitCode = error instanceof AppError && error.code === 'CONFIG_INVALID' ? EXIT_USAGE : 1;
    // A part that failed to start may have left sockets behind; the process must still end.
    process.exit();
  }
}

/** Gives wrong use of a command and of all below it one line of help and the exit status for it. */
function refuseWrongUse(command: Command): void {
  command.showHelpAfterError(`(${commandPath(command)} --help shows how it is used)`);
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_USAGE));
  for (const sub of command.commands) refuseWrongUse(sub);
}

function commandPath(command: Command): string {
  return command.parent ? `${commandPath(command.parent)} ${command.name()}` : command.name();
}
