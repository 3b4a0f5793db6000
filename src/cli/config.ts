import { Command } from 'commander';
import { describeConfig } from '../config/describe.js';
import { settingsOf, withSettings } from './settings.js';

/** `ims config`: every setting, its value, where the value came from and what it means. */
export function configCommand(): Command {
  return withSettings(
    new Command('config').description('show every setting, its value and where it came from'),
  )
    .option('--json', 'as JSON')
    .action((options: Record<string, unknown>) => {
      const views = describeConfig(settingsOf(options));
      if (options['json']) {
        process.stdout.write(`${JSON.stringify(views, null, 2)}\n`);
        return;
      }
      const width = Math.max(...views.map(({ name }) => name.length));
      for (const { name, value, origin, meaning, live } of views) {
        process.stdout.write(`# ${meaning}${live ? ' (may change while running)' : ''}\n`);
        process.stdout.write(`${name.padEnd(width)}  ${value || '-'}   (${origin})\n`);
      }
    });
}
