import { ParamList, type ParamsView } from './param-list.js';
import { endOfQuotedString } from './quoted-string.js';
import { skipSpace, trimmed } from './token.js';

/** Parameters of a header value. */
export type Params = ParamList;

enum Code {
  Quote = 0x22,
  Semicolon = 0x3b,
  Equals = 0x3d,
}

/** 1 for each char that ends or spoils an unquoted name or value: white space, controls and `" , ; < = >`. */
const IS_STOP = new Uint8Array(256);
for (let code = 0; code <= 0x20; code++) IS_STOP[code] = 1;
for (const char of '",;<=>\x7f') IS_STOP[char.charCodeAt(0)] = 1;

/** Index of the first char at or after `at` that cannot belong to an unquoted name or value. */
function endOfWord(text: string, at: number): number {
  while (at < text.length && IS_STOP[text.charCodeAt(at)] !== 1) at++;
  return at;
}

/** Like endOfWord, but `=` belongs to a value: base64 padding is met in the wild. */
function endOfValue(text: string, at: number): number {
  if (text.charCodeAt(at) === Code.Quote) return endOfQuotedString(text, at);
  let end = endOfWord(text, at);
  while (text.charCodeAt(end) === Code.Equals) end = endOfWord(text, end + 1);
  return end;
}

/**
 * Parses `;name=value;name` from `at` to the end of the text (generic-param, RFC 3261 §25.1). White space around `;`
 * and `=` is skipped; the first of two equal names wins. Undefined on anything else than parameters, and on an empty
 * one (`;;`) unless `allowEmpty`.
 */
export function parseParams(text: string, at: number, allowEmpty = false): Params | undefined {
  const params = new ParamList();
  let i = skipSpace(text, at);
  while (i < text.length) {
    if (text.charCodeAt(i) !== Code.Semicolon) return undefined;
    const nameAt = skipSpace(text, i + 1);
    const nameEnd = endOfWord(text, nameAt);
    i = skipSpace(text, nameEnd);
    const hasValue = text.charCodeAt(i) === Code.Equals;
    if (nameEnd === nameAt) {
      if (hasValue || !allowEmpty) return undefined;
      continue;
    }
    let value = '';
    if (hasValue) {
      const valueAt = skipSpace(text, i + 1);
      const valueEnd = endOfValue(text, valueAt);
      if (valueEnd < 0) return undefined;
      value = text.substring(valueAt, valueEnd);
      i = skipSpace(text, valueEnd);
    }
    const name = text.substring(nameAt, nameEnd).toLowerCase();
    if (!params.has(name)) params.set(name, value);
  }
  return params;
}

/** `;name=value` for each parameter; a bare `;name` for an empty value. */
export function formatParams(params: ParamsView): string {
  if (params instanceof ParamList) return params.toString();
  let text = '';
  for (const [name, value] of params) text += value === '' ? `;${name}` : `;${name}=${value}`;
  return text;
}

/** Splits a value into what stands before its first `;` and its parameters; undefined when those are malformed. */
export function splitParams(text: string): { head: string; params: Params } | undefined {
  const semicolon = text.indexOf(';');
  const end = semicolon < 0 ? text.length : semicolon;
  const params = parseParams(text, end, true);
  return params && { head: trimmed(text, 0, end), params };
}
