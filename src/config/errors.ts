import { AppError } from '../platform/errors.js';
import { maskUserinfo } from './userinfo.js';

/** A setting that cannot be used. The message is one line: key, what was given (of URLs no password), what is allowed. The process exits with 2. */
export class ConfigError extends AppError {
  constructor(key: string, given: string, allowed: string) {
    const shown = maskUserinfo(given);
    super('CONFIG_INVALID', `${key}: '${shown}' is not usable; allowed: ${allowed}`, { context: { key } });
  }
}

/** Why a setting cannot be set at the console. */
export type SettingErrorCode =
  | 'SETTING_SECRET'
  | 'SETTING_EARLY'
  | 'SETTING_NOT_LIVE'
  | 'SETTING_OVERRIDDEN'
  | 'SETTING_NO_STORE';

/** A setting that the console may not set; `origin` is what is stronger. */
export class SettingError extends AppError {
  declare readonly code: SettingErrorCode;

  constructor(code: SettingErrorCode, key: string, origin?: string) {
    super(code, `${key} cannot be set at the console`, { context: { key, ...(origin && { origin }) } });
  }
}
