import ipaddr from 'ipaddr.js';
import type { ParamValue } from '../grammar/command-parser.js';
import { text } from '../text.js';
import { type ParamType, ValueProblem } from './command.js';

const single = (value: ParamValue): string => value.text;

/** Free text, by default 1..255 characters. */
export function string(options: { min?: number; max?: number } = {}): ParamType<string> {
  const { min = 1, max = 255 } = options;
  return {
    name: text('text', '文本'),
    allowed: text(`text of ${min}..${max} characters`, ` ${min}..${max} 个字符的文本`),
    parse(value) {
      const length = [...single(value)].length;
      if (length < min || length > max) throw new ValueProblem('range');
      return single(value);
    },
  };
}

/** A whole number. */
export function number(min: number, max: number): ParamType<number> {
  return {
    name: text('number', '数字'),
    allowed: text(`a whole number ${min}..${max}`, ` ${min}..${max} 的整数`),
    parse(value) {
      if (!/^-?\d{1,15}$/.test(single(value))) throw new ValueProblem('invalid');
      const parsed = Number(single(value));
      if (parsed < min || parsed > max) throw new ValueProblem('range');
      return parsed;
    },
  };
}

/** One of some words, in any case. */
export function oneOf<const V extends readonly string[]>(values: V): ParamType<V[number]> {
  const list = values.join('|');
  return {
    name: text('enum', '枚举'),
    allowed: text(`one of ${list}`, ` ${list} 之一`),
    values: values.map((value) => value.toUpperCase()),
    parse(value) {
      const found = values.find((one) => one.toUpperCase() === single(value).toUpperCase());
      if (found === undefined) throw new ValueProblem('invalid');
      return found;
    },
  };
}

/** YES or NO; also ON/OFF, TRUE/FALSE, 1/0. */
export const boolean: ParamType<boolean> = {
  name: text('yes or no', '是否'),
  allowed: text('YES or NO', ' YES 或 NO'),
  values: ['YES', 'NO'],
  parse(value) {
    const word = single(value).toUpperCase();
    if (['YES', 'Y', 'ON', 'TRUE', '1'].includes(word)) return true;
    if (['NO', 'N', 'OFF', 'FALSE', '0'].includes(word)) return false;
    throw new ValueProblem('invalid');
  },
};

/** The user part of an address-of-record; what accounts refuse is refused there. */
export const username: ParamType<string> = {
  name: text('user name', '用户名'),
  allowed: text('a user name of 1..64 characters without spaces', ' 1..64 个字符、不含空格的用户名'),
  parse(value) {
    if (!/^[^\s@:;,"<>]{1,64}$/u.test(single(value))) throw new ValueProblem('invalid');
    return single(value);
  },
};

/** An IPv4 or IPv6 address. */
export const ip: ParamType<string> = {
  name: text('IP address', 'IP 地址'),
  allowed: text('an IPv4 or IPv6 address', ' IPv4 或 IPv6 地址'),
  parse(value) {
    if (!isAddress(single(value))) throw new ValueProblem('invalid');
    return single(value);
  },
};

/** An address or a network, `192.0.2.0/24`. */
export const cidr: ParamType<string> = {
  name: text('address or network', '地址或网段'),
  allowed: text('an address or network such as 192.0.2.0/24', '地址或网段，例如 192.0.2.0/24'),
  parse(value) {
    const isNetwork = single(value).includes('/') && ipaddr.isValidCIDR(single(value));
    if (!isNetwork && !isAddress(single(value))) throw new ValueProblem('invalid');
    return single(value);
  },
};

/** Addresses and networks divided by `&`. */
export function cidrList(max: number): ParamType<readonly string[]> {
  return {
    name: text('addresses', '地址列表'),
    allowed: text(
      `addresses and networks such as 10.0.0.0/8&192.0.2.7, at most ${max}`,
      `地址或网段列表，例如 10.0.0.0/8&192.0.2.7，最多 ${max} 个`,
    ),
    parse(value, env) {
      if (value.parts.length > max) throw new ValueProblem('range');
      return value.parts.map((part) => cidr.parse({ ...value, text: part, parts: [part] }, env));
    },
  };
}

const isAddress = (value: string) => ipaddr.IPv4.isValidFourPartDecimal(value) || ipaddr.IPv6.isValid(value);

/** A SIP or tel URI, or a bare user name. */
export const uri: ParamType<string> = {
  name: text('URI', 'URI'),
  allowed: text('a URI such as sip:1001@ims', ' URI，例如 sip:1001@ims'),
  parse(value) {
    if (!/^[^\s<>"]{1,255}$/u.test(single(value))) throw new ValueProblem('invalid');
    return single(value);
  },
};

const DURATION_UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time span in milliseconds: `90` (seconds), `500ms`, `30s`, `5m`, `2h`, `1d`. */
export function duration(minMs: number, maxMs: number): ParamType<number> {
  return {
    name: text('duration', '时长'),
    allowed: text(
      `a duration such as 30s, 5m, 2h, 1d (${minMs / 1000}..${maxMs / 1000} s)`,
      `时长，例如 30s、5m、2h、1d（${minMs / 1000}..${maxMs / 1000} 秒）`,
    ),
    parse(value) {
      const match = /^(\d{1,9})(ms|s|m|h|d)?$/i.exec(single(value));
      if (!match) throw new ValueProblem('invalid');
      const ms = Number(match[1]) * DURATION_UNITS[(match[2] ?? 's').toLowerCase()]!;
      if (ms < minMs || ms > maxMs) throw new ValueProblem('range');
      return ms;
    },
  };
}

/** Numbers and ranges, `1000-1005&1010`; leading zeros are kept. */
export function numberList(maxNumbers: number): ParamType<readonly string[]> {
  return {
    name: text('number list', '号码列表'),
    allowed: text(
      `numbers and ranges such as 1000-1005&1010, at most ${maxNumbers}`,
      `号码或号段，例如 1000-1005&1010，最多 ${maxNumbers} 个`,
    ),
    parse(value) {
      const numbers = new Set<string>();
      for (const part of value.parts) {
        for (const one of expandRange(part, maxNumbers)) numbers.add(one);
        if (numbers.size > maxNumbers) throw new ValueProblem('range');
      }
      return [...numbers];
    },
  };
}

/** Numbers, names and ranges of numbers, `1000-1005&800&lisi`. */
export function dialList(maxNumbers: number): ParamType<readonly string[]> {
  const numbers = numberList(maxNumbers);
  return {
    name: text('dial list', '拨号列表'),
    allowed: text(
      `numbers, names and ranges such as 1000-1005&800, at most ${maxNumbers}`,
      `号码、名称或号段，例如 1000-1005&800，最多 ${maxNumbers} 个`,
    ),
    parse(value, env) {
      const all = new Set<string>();
      for (const part of value.parts) {
        if (/^\d+(?:-\d+)?$/.test(part))
          for (const one of numbers.parse({ ...value, parts: [part] }, env)) all.add(one);
        else if (/^[^\s@:;,"<>]{1,64}$/u.test(part)) all.add(part);
        else throw new ValueProblem('invalid');
        if (all.size > maxNumbers) throw new ValueProblem('range');
      }
      return [...all];
    },
  };
}

function expandRange(part: string, maxNumbers: number): string[] {
  const match = /^(\d{1,20})(?:-(\d{1,20}))?$/.exec(part);
  if (!match) throw new ValueProblem('invalid');
  const [first, last] = [match[1]!, match[2] ?? match[1]!];
  if (first.length !== last.length || BigInt(last) < BigInt(first)) throw new ValueProblem('invalid');
  if (BigInt(last) - BigInt(first) >= BigInt(maxNumbers)) throw new ValueProblem('range');
  const count = Number(BigInt(last) - BigInt(first)) + 1;
  return Array.from({ length: count }, (_, i) =>
    (BigInt(first) + BigInt(i)).toString().padStart(first.length, '0'),
  );
}

/** Names divided by `&`. */
export function textList(max: number): ParamType<readonly string[]> {
  return {
    name: text('list', '列表'),
    allowed: text(`names such as 1001&1002, at most ${max}`, `名称列表，例如 1001&1002，最多 ${max} 个`),
    parse(value) {
      if (value.parts.length > max) throw new ValueProblem('range');
      if (value.parts.some((part) => !/^[^\s@:;,"<>]{1,64}$/u.test(part))) throw new ValueProblem('invalid');
      return value.parts;
    },
  };
}

export const WEEK = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

/** Days of the week, 1 Monday to 7 Sunday: `MON-FRI`, `SAT&SUN`. */
export const weekdays: ParamType<readonly number[]> = {
  name: text('days', '星期'),
  allowed: text('days such as MON-FRI or SAT&SUN', '星期，例如 MON-FRI 或 SAT&SUN'),
  parse(value) {
    const days = new Set<number>();
    for (const part of value.parts) {
      const [first = '', last = first] = part.toUpperCase().split('-');
      const [from, to] = [WEEK.indexOf(first), WEEK.indexOf(last)];
      if (from < 0 || to < 0) throw new ValueProblem('invalid');
      for (let day = from; ; day = (day + 1) % 7) {
        days.add(day + 1);
        if (day === to) break;
      }
    }
    return [...days].sort();
  },
};

/** Hours of the day in minutes after midnight: `08:00-18:00`; `18:00-08:00` goes over midnight. */
export const hours: ParamType<{ readonly from: number; readonly until: number }> = {
  name: text('hours', '时段'),
  allowed: text('hours such as 08:00-18:00', '时段，例如 08:00-18:00'),
  parse(value) {
    const match = /^(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})$/.exec(single(value));
    if (!match) throw new ValueProblem('invalid');
    const [h1 = 0, m1 = 0, h2 = 0, m2 = 0] = match.slice(1).map(Number);
    const [from, until] = [h1 * 60 + m1, h2 * 60 + m2];
    if (m1 > 59 || m2 > 59 || from >= 1440 || until > 1440) throw new ValueProblem('range');
    return { from, until };
  },
};

/** The words of a command, `ADD USER`. */
export const commandWords: ParamType<string> = {
  name: text('command', '命令'),
  allowed: text('a command such as ADD USER', '命令，例如 ADD USER'),
  takesWords: true,
  parse: (value) => single(value).trim().toUpperCase().replace(/\s+/g, ' '),
};

/** A bare keyword without a value; its own name is the word. */
export function flag(word: string): ParamType<true> {
  return {
    name: text('keyword', '关键字'),
    allowed: text(`the word ${word}`, `关键字 ${word}`),
    values: [word],
    parse(value) {
      if (!['YES', word].includes(single(value).toUpperCase())) throw new ValueProblem('invalid');
      return true;
    },
  };
}
