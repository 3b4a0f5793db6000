import type { Command } from 'commander';
import { ConfigError } from '../config/errors.js';
import { type LoadedConfig, loadConfig } from '../config/load.js';
import { SETTINGS, type SettingName } from '../config/schema.js';

const NAMES = Object.keys(SETTINGS) as SettingName[];
/** Read when it stands in the working directory and no other file is named. */
const DEFAULT_FILE = 'ims.yaml';

const flagName = (name: SettingName): string => name.toLowerCase().replaceAll('_', '-');
/** The key under which commander keeps `--sip-listen`: sipListen. */
const flagKey = (name: SettingName): string =>
  flagName(name).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Gives a command `--config` and one flag for each of the settings that concern it (all by default). */
export function withSettings(command: Command, names: readonly SettingName[] = NAMES): Command {
  command.option('--config <file>', `settings file, YAML (default: ${DEFAULT_FILE} if it exists)`);
  for (const name of names) {
    const { meaning, default: fallback }: { meaning: string; default?: string } = SETTINGS[name];
    command.option(`--${flagName(name)} <value>`, fallback ? `${meaning} [${fallback}]` : meaning);
  }
  return command;
}

/** The settings in force for a command line; prints one line and exits with 2 when one of them cannot be used. */
export function settingsOf(options: Readonly<Record<string, unknown>>): LoadedConfig {
  try {
    return readSettingsOf(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(2);
  }
}

/** The same; throws ConfigError when one of them cannot be used. */
export function readSettingsOf(options: Readonly<Record<string, unknown>>): LoadedConfig {
  const flags: Record<string, string | undefined> = {};
  for (const name of NAMES) {
    const given = options[flagKey(name)];
    if (typeof given === 'string') flags[name] = given;
  }
  const named = options['config'];
  return loadConfig({
    flags,
    env: process.env,
    file: typeof named === 'string' ? named : DEFAULT_FILE,
    fileRequired: typeof named === 'string',
  });
}
