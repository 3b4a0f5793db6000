import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { ConfigError } from './errors.js';
import { applyOldNames } from './old-names.js';
import { type Config, SETTINGS, type SettingName } from './schema.js';

/**
 * Where a setting came from, strongest first; `stored` ones were set at the console. `running` is what an operator set
 * until the next start.
 */
export type Origin = 'flag' | 'environment' | 'file' | 'stored' | 'default' | 'running';

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

/** Reads a settings file as a flat map of setting names to text. Lists may be written as YAML lists. */
function readFile(path: string, required: boolean): Record<string, string> {
  if (!existsSync(path)) {
    if (required) throw new ConfigError('--config', path, 'the path of a file that exists');
    return {};
  }
  return readSettings(readFileSync(path, 'utf8'), path);
}

/** Reads YAML as a flat map of setting names to text; `path` is for messages. Throws ConfigError. */
export function readSettings(text: string, path: string): Record<string, string> {
  let content: unknown;
  try {
    content = parse(text);
  } catch (error) {
    // Behind a colon it may quote the file, which may hold secrets.
    const [reason = ''] = error instanceof Error ? error.message.split(/: |\n/) : [];
    throw new ConfigError(path, reason, 'YAML');
  }
  const values: Record<string, string> = {};
  for (const [key, value] of Object.entries((content ?? {}) as object)) {
    const name = key.toUpperCase();
    if (!(name in SETTINGS)) throw new ConfigError(`${path}: ${key}`, '***', `one of ${NAMES.join(', ')}`);
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

/** Settings by precedence flag, environment, file, default; stored ones come in when the Store is open. Throws ConfigError on the first one that is not allowed. */
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
  checkTogether(result);
  return { config: Object.freeze(result), origins };
}

/** Throws ConfigError when settings do not go together. */
export function checkTogether(result: Config): void {
  if (result.REG_MIN_SEC > result.REG_MAX_SEC) {
    throw new ConfigError(
      'REG_MIN_SEC',
      String(result.REG_MIN_SEC),
      `at most REG_MAX_SEC (${result.REG_MAX_SEC})`,
    );
  }
  if (result.SIP_TLS_KEY !== undefined && result.SIP_TLS_CERT === undefined)
    throw new ConfigError('SIP_TLS_KEY', result.SIP_TLS_KEY, 'together with SIP_TLS_CERT');
}

/** The value of one setting from text; throws ConfigError naming the key. */
export function parseSetting<K extends SettingName>(name: K, given: string): unknown {
  const parsed = SETTINGS[name].type.safeParse(given);
  if (parsed.success) return parsed.data === '' ? undefined : parsed.data;
  const { secret } = SETTINGS[name] as { secret?: true | 'url' };
  throw new ConfigError(name, secret ? '***' : given, parsed.error.issues[0]?.message ?? 'another value');
}
