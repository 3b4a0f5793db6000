import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError } from './errors.js';
import { applyOldNames } from './old-names.js';
import { type Config, SETTINGS, type SettingName } from './schema.js';

/** Where a setting came from, strongest first. */
export type Origin = 'flag' | 'environment' | 'file' | 'default';

export interface LoadedConfig {
  readonly config: Config;
  readonly origins: Readonly<Partial<Record<SettingName, Origin>>>;
}

export interface ConfigSources {
  readonly flags?: Readonly<Record<string, string | undefined>>;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Path of the YAML file; a missing file is an error only when it was named by the user. */
  readonly file?: string;
  readonly fileRequired?: boolean;
}

const NAMES = Object.keys(SETTINGS) as SettingName[];

/** Reads the file as a flat map of setting names to text. Lists may be written as YAML lists. */
function readFile(path: string, required: boolean): Record<string, string> {
  if (!existsSync(path)) {
    if (required) throw new ConfigError('--config', path, 'the path of a file that exists');
    return {};
  }
  let content: unknown;
  try {
    content = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new ConfigError(
      path,
      error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unreadable',
      'YAML',
    );
  }
  const values: Record<string, string> = {};
  for (const [key, value] of Object.entries((content ?? {}) as object)) {
    const name = key.toUpperCase();
    if (!(name in SETTINGS))
      throw new ConfigError(`${path}: ${key}`, String(value), `one of ${NAMES.join(', ')}`);
    values[name] = Array.isArray(value) ? value.join(',') : String(value);
  }
  return values;
}

/** Every default as text. */
function defaults(): Record<string, string | undefined> {
  const values: Record<string, string | undefined> = {};
  for (const name of NAMES) {
    const setting: { readonly meaning: string; readonly default?: string } = SETTINGS[name];
    values[name] = setting.default;
  }
  return values;
}

/** Settings by precedence flag, environment, file, default. Throws ConfigError on the first one that is not allowed. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const layers: readonly (readonly [Origin, Readonly<Record<string, string | undefined>>])[] = [
    ['flag', sources.flags ?? {}],
    ['environment', applyOldNames(sources.env ?? {})],
    ['file', sources.file === undefined ? {} : readFile(sources.file, sources.fileRequired ?? false)],
    ['default', defaults()],
  ];
  const config: Record<string, unknown> = {};
  const origins: Partial<Record<SettingName, Origin>> = {};
  for (const name of NAMES) {
    const found = layers.find(([origin, values]) => {
      const value = values[name];
      // An empty variable counts as not set: compose files pass those on.
      return value !== undefined && (value !== '' || origin === 'default');
    });
    if (!found) continue;
    config[name] = parseSetting(name, found[1][name] ?? '');
    origins[name] = found[0];
  }
  const result = config as unknown as Config;
  if (result.REG_MIN_SEC > result.REG_MAX_SEC) {
    throw new ConfigError(
      'REG_MIN_SEC',
      String(result.REG_MIN_SEC),
      `at most REG_MAX_SEC (${result.REG_MAX_SEC})`,
    );
  }
  if (result.SIP_TLS_KEY !== undefined && result.SIP_TLS_CERT === undefined)
    throw new ConfigError('SIP_TLS_KEY', result.SIP_TLS_KEY, 'together with SIP_TLS_CERT');
  return { config: Object.freeze(result), origins };
}

/** The value of one setting from text; throws ConfigError naming the key. */
export function parseSetting<K extends SettingName>(name: K, given: string): unknown {
  const parsed = SETTINGS[name].type.safeParse(given);
  if (parsed.success) return parsed.data === '' ? undefined : parsed.data;
  const { secret } = SETTINGS[name] as { secret?: boolean };
  throw new ConfigError(name, secret ? '***' : given, parsed.error.issues[0]?.message ?? 'another value');
}
