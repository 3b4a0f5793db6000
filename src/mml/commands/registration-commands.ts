import type { Binding } from '../../registrar/types.js';
import { MmlError } from '../errors.js';
import { LONG_COMMAND_TIMEOUT_MS } from '../limits.js';
import {
  type Command,
  defineCommand,
  type ParamSpec,
  type ReportSpec,
  type Row,
} from '../registry/command.js';
import { flag, uri } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import { text } from '../text.js';
import { AFTER, filteredPage, LIMIT, moreNote } from './paging.js';
import { USERNAME } from './user-params.js';

const bindingReport: ReportSpec = {
  name: 'registrations',
  title: text('Registration', '注册'),
  columns: [
    { key: 'username', title: text('User name', '用户名') },
    { key: 'contact', title: text('Contact', '注册地址') },
    { key: 'source', title: text('Source', '来源地址') },
    { key: 'protocol', title: text('Protocol', '协议') },
    { key: 'q', title: text('q', 'q 值') },
    { key: 'registeredAt', title: text('Registered', '注册时间'), format: 'time' },
    { key: 'expiresInSec', title: text('Expires in', '剩余有效期'), format: 'seconds' },
    { key: 'userAgent', title: text('User agent', '终端') },
  ],
};

const countReport: ReportSpec = {
  name: 'registrationCounts',
  title: text('Registration statistics', '注册统计'),
  columns: [
    { key: 'registeredUsers', title: text('Users registered', '已注册用户') },
    { key: 'contacts', title: text('Contacts', '注册地址数') },
    { key: 'users', title: text('Users in all', '用户总数') },
  ],
};

const URI = {
  type: uri,
  purpose: text('Address-of-record, or the user part of it', '用户 URI，或其用户部分'),
  example: 'sip:1001@ims',
} as const satisfies ParamSpec;

/** `sip:1001@ims`, `1001@ims` and `1001` all mean user 1001. */
function userOf(value: string): string {
  return value
    .replace(/^sips?:/i, '')
    .replace(/^tel:/i, '')
    .split(/[@;]/)[0]!;
}

const displayRegistrations = defineCommand({
  verb: 'DSP',
  object: 'REG',
  aliases: ['LST REG'],
  purpose: text('Show who is registered, and from where', '查询注册'),
  params: {
    USERNAME,
    URI,
    AFTER,
    LIMIT,
    ALL: { type: flag('ALL'), purpose: text('All registrations', '全部注册'), keyword: true },
    SPECIFIC: { type: flag('SPECIFIC'), purpose: text('Those of URI=', '由 URI= 指定'), keyword: true },
    WATCH,
  },
  excludes: [['USERNAME', 'URI']],
  reports: [bindingReport],
  examples: ['DSP REG', 'DSP REG: USERNAME=1001', 'DSP REG SPECIFIC URI=sip:1001@ims'],
  async handler({ services, clock, signal }, { USERNAME: name, URI: written, AFTER: after, LIMIT: limit }) {
    const username = name ?? (written === undefined ? undefined : userOf(written));
    const now = clock.now();
    if (username !== undefined) {
      const rows = (await services.registrations.bindings(username)).map((one) =>
        bindingRow(username, one, now),
      );
      return { sections: [{ report: bindingReport, rows }] };
    }
    const { items, next } = await filteredPage({
      list: (from, count) =>
        services.registrations.list({ limit: count, ...(from !== undefined && { after: from }) }),
      key: (user) => user.username,
      accept: () => true,
      after,
      limit,
      signal,
    });
    const rows = items.flatMap((user) => user.bindings.map((one) => bindingRow(user.username, one, now)));
    const note = next === undefined ? {} : { note: moreNote('AFTER', next) };
    return { sections: [{ report: bindingReport, rows, ...note }] };
  },
});

function bindingRow(username: string, binding: Binding, now: number): Row {
  const address = binding.address.includes(':') ? `[${binding.address}]` : binding.address;
  return {
    username,
    contact: binding.contact,
    source: `${address}:${binding.port}`,
    protocol: binding.protocol,
    q: binding.q,
    registeredAt: binding.registeredAt,
    expiresInSec: Math.max(0, Math.round((binding.expiresAt - now) / 1000)),
    userAgent: binding.userAgent,
  };
}

const countRegistrations = defineCommand({
  verb: 'DSP',
  object: 'REG',
  variant: 'STAT',
  aliases: ['LST REG STAT'],
  purpose: text('Count the registrations', '查询注册统计'),
  params: { WATCH },
  reports: [countReport],
  examples: ['DSP REG STAT'],
  async handler({ services }) {
    const [registered, users] = await Promise.all([services.registrations.count(), services.users.count()]);
    const row = { registeredUsers: registered.users, contacts: registered.bindings, users };
    return { sections: [{ report: countReport, rows: [row] }] };
  },
});

const removedReport: ReportSpec = {
  name: 'removedRegistrations',
  title: text('Registrations ended', '已结束的注册'),
  columns: [
    { key: 'username', title: text('User name', '用户名') },
    { key: 'ended', title: text('Contacts ended', '结束的注册地址数') },
  ],
};

const clearedReport: ReportSpec = {
  ...removedReport,
  name: 'clearedRegistrations',
  columns: [
    { key: 'users', title: text('Users', '用户数') },
    { key: 'ended', title: text('Contacts ended', '结束的注册地址数') },
  ],
};

const removeRegistration = defineCommand({
  verb: 'RMV',
  object: 'REG',
  purpose: text('End the registrations of a user; its phones may register again', '删除用户的注册'),
  params: {
    USERNAME,
    URI,
    SPECIFIC: { type: flag('SPECIFIC'), purpose: text('Those of URI=', '由 URI= 指定'), keyword: true },
  },
  oneOf: [['USERNAME', 'URI']],
  excludes: [['USERNAME', 'URI']],
  reports: [removedReport],
  examples: ['RMV REG: USERNAME=1001', 'RMV REG SPECIFIC URI=sip:1001@ims CONFIRM=YES'],
  async handler({ services }, { USERNAME: name, URI: written }) {
    const username = name ?? userOf(written!);
    const ended = await services.registrations.remove(username);
    return { sections: [{ report: removedReport, rows: [{ username, ended }] }] };
  },
});

const CLEAR_PAGE = 200;

const clearRegistrations = defineCommand({
  verb: 'CLR',
  object: 'REG',
  purpose: text(
    'End the registrations of all users; their phones may register again',
    '清除全部注册；终端可重新注册',
  ),
  params: {
    ALL: { type: flag('ALL'), purpose: text('All registrations', '全部注册'), keyword: true },
  },
  dangerous: text('No phone can be called until it registers again.', '终端重新注册之前无法被叫。'),
  timeoutMs: LONG_COMMAND_TIMEOUT_MS,
  reports: [clearedReport],
  examples: ['CLR REG: CONFIRM=YES', 'CLR REG ALL CONFIRM=YES'],
  async handler({ services, signal }) {
    let [users, ended] = [0, 0];
    let after: string | undefined;
    for (;;) {
      if (signal.aborted) throw new MmlError(4006);
      const page = await services.registrations.list({
        limit: CLEAR_PAGE,
        ...(after !== undefined && { after }),
      });
      for (const { username } of page) {
        ended += await services.registrations.remove(username);
        users++;
      }
      if (page.length < CLEAR_PAGE) break;
      after = page.at(-1)!.username;
    }
    return { sections: [{ report: clearedReport, rows: [{ users, ended }] }] };
  },
});

/** Registrations: DSP REG, DSP REG STAT, RMV REG, CLR REG. */
export const registrationCommands: readonly Command[] = [
  displayRegistrations,
  countRegistrations,
  removeRegistration,
  clearRegistrations,
];
