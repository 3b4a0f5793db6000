import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { importUsers } from '../accounts/import-users.js';
import { readUsersCsv, readUsersJson } from '../accounts/read-users.js';
import { StoredUsers } from '../accounts/stored-users.js';
import { settingsOf, withSettings } from './settings.js';
import { withStore } from './with-store.js';

type Options = Record<string, unknown>;
const PAGE = 500;

/** A subcommand that works on the Store's users. */
function userCommand(name: string, description: string): Command {
  return withSettings(new Command(name).description(description), ['STORE_URL', 'DATA_DIR', 'SIP_REALM']);
}

async function withUsers<T>(options: Options, use: (users: StoredUsers) => Promise<T>): Promise<T> {
  const { config } = settingsOf(options);
  return withStore(config, (store) => use(new StoredUsers({ store, realm: config.SIP_REALM })));
}

function addCommand(): Command {
  return userCommand('add', 'add a subscriber; its phone registers with this name and password')
    .argument('<username>')
    .requiredOption('--password <password>', 'password, or - to read it from standard input')
    .option('--name <name>', 'display name')
    .option('--phone <number>')
    .option('--email <address>')
    .action(async (username: string, options: Options) => {
      const given = String(options['password']);
      const password = given === '-' ? readFileSync(0, 'utf8').trimEnd() : given;
      const text = (key: string): string | undefined => options[key] as string | undefined;
      const [displayName, phone, email] = [text('name'), text('phone'), text('email')];
      await withUsers(options, (users) =>
        users.add(username, {
          password,
          ...(displayName !== undefined && { displayName }),
          ...(phone !== undefined && { phone }),
          ...(email !== undefined && { email }),
        }),
      );
      process.stdout.write(`added ${username}\n`);
    });
}

function listCommand(): Command {
  return userCommand('list', 'list subscribers')
    .option('--json', 'one JSON object a line')
    .action((options: Options) =>
      withUsers(options, async (users) => {
        let after: string | undefined;
        for (;;) {
          const page = await users.list({ limit: PAGE, ...(after !== undefined && { after }) });
          for (const user of page) {
            const { username, displayName, status, serviceType } = user;
            process.stdout.write(
              options['json']
                ? `${JSON.stringify(user)}\n`
                : `${username.padEnd(16)} ${status.padEnd(10)} ${serviceType.padEnd(8)} ${displayName}\n`,
            );
          }
          after = page.at(-1)?.username;
          if (page.length < PAGE) return;
        }
      }),
    );
}

function removeCommand(): Command {
  return userCommand('remove', 'remove a subscriber')
    .argument('<username>')
    .action(async (username: string, options: Options) => {
      await withUsers(options, (users) => users.remove(username));
      process.stdout.write(`removed ${username}\n`);
    });
}

function importCommand(): Command {
  return userCommand(
    'import',
    "import subscribers from the old server's users.json, or from CSV with a header line",
  )
    .argument('<file>', '.json or .csv')
    .option('--update', 'change subscribers that exist already; without it they are left as they are')
    .option('--all-or-nothing', 'write nothing when any row has an error')
    .action(async (file: string, options: Options) => {
      const text = readFileSync(file, 'utf8');
      const rows = /\.csv$/i.test(file) ? readUsersCsv(text) : readUsersJson(text);
      const report = await withUsers(options, (users) =>
        importUsers(users, rows, {
          existing: options['update'] ? 'update' : 'skip',
          allOrNothing: options['allOrNothing'] === true,
        }),
      );
      for (const fault of report.faults)
        process.stderr.write(`row ${fault.row} ${fault.username}: ${fault.message}\n`);
      process.stdout.write(
        `${report.added} added, ${report.updated} updated, ${report.skipped} left as they were, ${report.faults.length} refused\n`,
      );
      if (report.faults.length > 0) process.exitCode = 1;
    });
}

/** `ims user add|list|remove|import`: works on the Store directly, whether or not the server runs. */
export function usersCommand(): Command {
  const command = new Command('user').description('subscribers: add, list, remove, import');
  for (const sub of [addCommand(), listCommand(), removeCommand(), importCommand()]) command.addCommand(sub);
  return command;
}
