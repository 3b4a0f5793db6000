import type { LoadedConfig } from './load.js';
import { SETTINGS, type SettingName } from './schema.js';
import { maskUserinfo } from './userinfo.js';

export interface SettingView {
  readonly name: SettingName;
  readonly value: string;
  readonly origin: string;
  readonly meaning: string;
  readonly live: boolean;
}

/** A value as a person would write it; empty when it is not set. */
export function showValue(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map(showValue).join(',');
  if (typeof value !== 'object' || value === null) return String(value);
  if ('protocol' in value && 'address' in value && 'port' in value) {
    return `${String(value.protocol)}:${bracket(String(value.address))}:${String(value.port)}`;
  }
  if ('network' in value && 'address' in value) return `${String(value.network)}=${String(value.address)}`;
  if ('host' in value && 'port' in value) return `${bracket(String(value.host))}:${String(value.port)}`;
  if ('first' in value && 'last' in value) return `${String(value.first)}-${String(value.last)}`;
  return JSON.stringify(value);
}

/** An address as it stands before a port: IPv6 in brackets (RFC 3986 §3.2.2). */
export function bracket(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** A URL shows where it leads, without name and password; other secrets show nothing. */
function masked(value: string, secret: true | 'url' | undefined): string {
  return secret === true && value !== '' ? '***' : maskUserinfo(value);
}

/** Every setting with its value, where it came from and what it means; secrets masked. */
export function describeConfig(loaded: LoadedConfig): SettingView[] {
  return (Object.keys(SETTINGS) as SettingName[]).map((name) => {
    const setting: { meaning: string; secret?: true | 'url'; live?: boolean } = SETTINGS[name];
    const value = showValue(loaded.config[name]);
    return {
      name,
      value: masked(value, setting.secret),
      origin: loaded.origins[name] ?? 'not set',
      meaning: setting.meaning,
      live: setting.live ?? false,
    };
  });
}
