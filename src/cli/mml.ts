import { join } from 'node:path';
import { Command } from 'commander';
import { runMml } from '../mml/transport/run-mml.js';
import { settingsOf, withSettings } from './settings.js';

/** `ims mml`: console commands on the running server over its local socket; the owner of DATA_DIR needs no password. */
export function mmlCommand(): Command {
  return withSettings(
    new Command('mml').description('console commands on the running server, or a session'),
    ['DATA_DIR'],
  )
    .argument('[command...]', 'for example: "LST USER" or DSP CALL')
    .option('-f, --file <file>', 'a script of commands; - for standard input')
    .option('-k, --keep-going', 'a script goes on after a command that failed')
    .option('-s, --step', 'ask before each command of a script; needs a terminal')
    .option(
      '-o, --output <file>',
      'write the reports of a script to a file, and its progress to standard error',
    )
    .option('--json', 'reports as JSON')
    .option('--lang <language>', 'EN or ZH')
    .action(async (words: readonly string[], options: Record<string, unknown>) => {
      const { config } = settingsOf(options);
      const file = options['file'];
      const language = String(options['lang'] ?? '').toUpperCase();
      process.exitCode = await runMml({
        socketPath: join(config.DATA_DIR, 'ims.sock'),
        ...(words.length > 0 && { command: words.join(' ') }),
        ...(typeof file === 'string' && { file }),
        ...(options['step'] === true && { step: true }),
        ...(options['keepGoing'] === true && { keepGoing: true }),
        ...(typeof options['output'] === 'string' && { output: options['output'] }),
        ...(options['json'] === true && { format: 'JSON' }),
        ...((language === 'EN' || language === 'ZH') && { language }),
        stdin: process.stdin,
        stdout: process.stdout,
        stderr: process.stderr,
        onInterrupt: (stop) => {
          // A second Ctrl-C ends the program, as without us.
          process.once('SIGINT', stop);
          return () => process.off('SIGINT', stop);
        },
      });
    });
}
