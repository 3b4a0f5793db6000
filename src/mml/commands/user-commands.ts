import type { UserView } from '../../accounts/types.js';
import { describeFeatures } from '../../accounts/user-features.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec, type Row, type Section } from '../registry/command.js';
import { flag, username } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import type { Services } from '../services.js';
import { text } from '../text.js';
import { FEATURE_PARAMS, featureReport, featureRow } from './feature-params.js';
import { AFTER, filteredPage, LIMIT, moreNote } from './paging.js';
import { toInput, USER_FIELDS, USERNAME } from './user-params.js';

const userReport: ReportSpec = {
  name: 'users',
  title: text('User', '用户'),
  columns: [
    { key: 'username', title: text('User name', '用户名') },
    { key: 'displayName', title: text('Name', '姓名') },
    { key: 'phone', title: text('Phone', '电话') },
    { key: 'email', title: text('E-mail', '邮箱') },
    { key: 'serviceType', title: text('Service', '业务等级') },
    { key: 'status', title: text('Status', '状态') },
    { key: 'features', title: text('Features', '业务功能') },
    { key: 'realm', title: text('Realm', '域') },
    { key: 'createdAt', title: text('Created', '创建时间'), format: 'time' },
    { key: 'updatedAt', title: text('Changed', '修改时间'), format: 'time' },
  ],
};

const liveReport: ReportSpec = {
  name: 'liveUsers',
  title: text('User state', '用户状态'),
  columns: [
    { key: 'username', title: text('User name', '用户名') },
    { key: 'displayName', title: text('Name', '姓名') },
    { key: 'status', title: text('Status', '状态') },
    { key: 'registered', title: text('Registered', '已注册'), format: 'yesno' },
    { key: 'contacts', title: text('Contacts', '注册地址数') },
    { key: 'address', title: text('Address', '地址') },
    { key: 'calls', title: text('Calls', '通话数') },
  ],
};

interface UserFilter {
  readonly USERNAME: string | undefined;
  readonly STATUS: string | undefined;
  readonly SERVICE: string | undefined;
  readonly AFTER: string | undefined;
  readonly LIMIT: number;
}

const filterParams = {
  USERNAME,
  STATUS: USER_FIELDS.STATUS,
  SERVICE: USER_FIELDS.SERVICE,
  AFTER,
  LIMIT,
  ALL: { type: flag('ALL'), purpose: text('All users', '全部用户'), keyword: true },
} as const;

async function pickUsers(services: Services, filter: UserFilter, signal: AbortSignal) {
  if (filter.USERNAME !== undefined) {
    const user = await services.users.view(filter.USERNAME);
    if (!user) {
      const hint = text('See LST USER', '请查看 LST USER');
      throw new MmlError(4001, { what: text('user', '用户'), name: filter.USERNAME, hint });
    }
    return { items: [user], next: undefined };
  }
  return filteredPage<UserView>({
    list: (after, limit) => services.users.list({ limit, ...(after !== undefined && { after }) }),
    key: (user) => user.username,
    accept: (user) =>
      (filter.STATUS === undefined || user.status === filter.STATUS) &&
      (filter.SERVICE === undefined || user.serviceType === filter.SERVICE),
    after: filter.AFTER,
    limit: filter.LIMIT,
    signal,
  });
}

const more = (next: string | undefined) => (next === undefined ? {} : { note: moreNote('AFTER', next) });

const listUsers = defineCommand({
  verb: 'LST',
  object: 'USER',
  aliases: ['LST USR'],
  purpose: text(
    'List the users; one user with all its features with USERNAME',
    '查询用户；带 USERNAME 时显示其全部业务功能',
  ),
  params: filterParams,
  reports: [userReport, featureReport],
  examples: ['LST USER', 'LST USER: USERNAME=1001', 'LST USER: STATUS=SUSPENDED, LIMIT=20'],
  async handler({ services, signal }, values) {
    const { items, next } = await pickUsers(services, values, signal);
    if (values.USERNAME !== undefined && items[0]) return { sections: userSections(items[0]) };
    return { sections: [{ report: userReport, rows: items.map(toRow), ...more(next) }] };
  },
});

const showUsers = defineCommand({
  verb: 'DSP',
  object: 'USER',
  aliases: ['DSP USR'],
  purpose: text('Show users with their registrations and calls', '查询用户的注册与通话状态'),
  params: { ...filterParams, WATCH },
  reports: [liveReport],
  examples: ['DSP USER', 'DSP USER ALL', 'DSP USER: USERNAME=1001'],
  async handler({ services, signal }, values) {
    const { items, next } = await pickUsers(services, values, signal);
    const busy = callsByUser(services);
    const rows: Row[] = [];
    for (const user of items) rows.push(await liveRow(services, user, busy));
    return { sections: [{ report: liveReport, rows, ...more(next) }] };
  },
});

function callsByUser(services: Services): Map<string, number> {
  const busy = new Map<string, number>();
  for (const call of services.calls.list()) {
    for (const name of new Set([call.caller, call.callee])) busy.set(name, (busy.get(name) ?? 0) + 1);
  }
  return busy;
}

async function liveRow(services: Services, user: UserView, busy: ReadonlyMap<string, number>): Promise<Row> {
  const bindings = await services.registrations.bindings(user.username);
  return {
    username: user.username,
    displayName: user.displayName,
    status: user.status,
    registered: bindings.length > 0,
    contacts: bindings.length,
    address: bindings.map((binding) => `${binding.address}:${binding.port}/${binding.protocol}`).join(' '),
    calls: busy.get(user.username) ?? 0,
  };
}

const addUser = defineCommand({
  verb: 'ADD',
  object: 'USER',
  aliases: ['ADD USR'],
  purpose: text('Create a user', '增加用户'),
  params: {
    USERNAME: {
      type: username,
      purpose: text('User name: what others dial', '用户名，即被叫号码'),
      required: true,
      example: '1001',
    },
    ...USER_FIELDS,
    PASSWORD: { ...USER_FIELDS.PASSWORD, required: true },
    SERVICE: { ...USER_FIELDS.SERVICE, default: 'BASIC' },
    STATUS: { ...USER_FIELDS.STATUS, default: 'ACTIVE' },
    ...FEATURE_PARAMS,
  },
  reports: [userReport, featureReport],
  examples: ['ADD USER: USERNAME=1001, PASSWORD="s3cret words", NAME="Li Si"'],
  async handler({ services }, values) {
    const user = await services.users.add(values.USERNAME, { ...toInput(values), password: values.PASSWORD });
    return { sections: userSections(user) };
  },
});

const modifyUser = defineCommand({
  verb: 'MOD',
  object: 'USER',
  aliases: ['MOD USR'],
  purpose: text('Change a user', '修改用户'),
  params: {
    USERNAME: { ...USERNAME, required: true },
    ...USER_FIELDS,
    ...FEATURE_PARAMS,
  },
  reports: [userReport, featureReport],
  examples: [
    'MOD USER: USERNAME=1001, STATUS=SUSPENDED',
    'MOD USER: USERNAME=1001, NAME="Li Si", PHONE=""',
    'MOD USER: USERNAME=1001, FWDNOANS=1003, NOANSSEC=20, RING=ORDER',
  ],
  async handler({ services }, values) {
    const input = toInput(values);
    if (Object.keys(input).length === 0) {
      throw new MmlError(2007, {
        names: [...Object.keys(USER_FIELDS), ...Object.keys(FEATURE_PARAMS)].join(', '),
      });
    }
    const user = await services.users.modify(values.USERNAME, input);
    return { sections: userSections(user) };
  },
});

const removeUser = defineCommand({
  verb: 'RMV',
  object: 'USER',
  aliases: ['RMV USR'],
  purpose: text('Remove a user and its registrations', '删除用户及其注册'),
  params: { USERNAME: { ...USERNAME, required: true } },
  examples: ['RMV USER: USERNAME=1001'],
  async handler({ services }, { USERNAME: name }) {
    await services.users.remove(name);
    const ended = await services.registrations.remove(name);
    return { note: text(`Registrations ended: ${ended}`, `已结束注册：${ended} 个`) };
  },
});

const toRow = ({ features, ...user }: UserView): Row => ({ ...user, features: describeFeatures(features) });

const userSections = (user: UserView): Section[] => [
  { report: userReport, rows: [toRow(user)] },
  ...(user.features ? [{ report: featureReport, rows: [featureRow(user.features)] }] : []),
];

/** Subscribers: LST, DSP, ADD, MOD, RMV USER. */
export const userCommands: readonly Command[] = [listUsers, showUsers, addUser, modifyUser, removeUser];
