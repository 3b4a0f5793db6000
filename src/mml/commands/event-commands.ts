import type { SubscriptionView } from '../../events/types.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec, type Row } from '../registry/command.js';
import { oneOf, string, username } from '../registry/param-types.js';
import { WATCH } from '../registry/watch.js';
import { text } from '../text.js';
import { LIMIT } from './paging.js';

const EVENTS = ['message-summary', 'dialog', 'presence'] as const;

const subscriptionReport: ReportSpec = {
  name: 'subscriptions',
  title: text('Subscription', '订阅'),
  columns: [
    { key: 'id', title: text('Subscription', '订阅号') },
    { key: 'event', title: text('Event', '事件') },
    { key: 'subscriber', title: text('Subscriber', '订阅方') },
    { key: 'resource', title: text('Watches', '被订阅方') },
    { key: 'address', title: text('Address', '地址') },
    { key: 'since', title: text('Since', '开始时间'), format: 'time' },
    { key: 'expiresInSec', title: text('Expires in', '剩余有效期'), format: 'seconds' },
    { key: 'notified', title: text('NOTIFYs', '通知次数') },
    { key: 'userAgent', title: text('User agent', '终端') },
  ],
};

const presenceReport: ReportSpec = {
  name: 'presence',
  title: text('Presence', '状态呈现'),
  columns: [
    { key: 'username', title: text('User name', '用户名') },
    { key: 'state', title: text('State', '状态') },
    { key: 'note', title: text('Note', '说明') },
    { key: 'source', title: text('Source', '来源') },
    { key: 'publications', title: text('Publications', '发布数') },
    { key: 'expiresInSec', title: text('Expires in', '剩余有效期'), format: 'seconds' },
    { key: 'watchers', title: text('Watchers', '订阅数') },
  ],
};

const secondsLeft = (at: number | undefined, now: number): number | undefined =>
  at === undefined ? undefined : Math.max(0, Math.round((at - now) / 1000));

const displaySubscriptions = defineCommand({
  verb: 'DSP',
  object: 'SUBSCRIPTION',
  aliases: ['LST SUBSCRIPTION'],
  purpose: text('Show who has subscribed to events of whom', '查询事件订阅'),
  params: {
    EVENT: { type: oneOf(EVENTS), purpose: text('Event package', '事件包') },
    USERNAME: { type: username, purpose: text('Subscriber', '订阅方'), example: '1001' },
    RESOURCE: { type: username, purpose: text('User that is watched', '被订阅方'), example: '1002' },
    LIMIT,
    WATCH,
  },
  reports: [subscriptionReport],
  examples: ['DSP SUBSCRIPTION', 'DSP SUBSCRIPTION: EVENT=dialog, RESOURCE=1002'],
  handler({ services, clock }, { EVENT: event, USERNAME: subscriber, RESOURCE: resource, LIMIT: limit }) {
    const wanted: Partial<SubscriptionView> = {
      ...(event !== undefined && { event }),
      ...(subscriber !== undefined && { subscriber }),
      ...(resource !== undefined && { resource }),
    };
    const found = services.events
      .subscriptions()
      .filter((one) => Object.entries(wanted).every(([key, value]) => one[key as 'event'] === value));
    const now = clock.now();
    const rows = found
      .slice(0, limit)
      .map(({ expiresAt, ...view }): Row => ({ ...view, expiresInSec: secondsLeft(expiresAt, now) }));
    const note = text(
      `Shown: ${rows.length} of ${found.length}`,
      `显示 ${found.length} 个中的 ${rows.length} 个`,
    );
    return { sections: [{ report: subscriptionReport, rows, ...(found.length > limit && { note }) }] };
  },
});

const removeSubscription = defineCommand({
  verb: 'RMV',
  object: 'SUBSCRIPTION',
  purpose: text('End a subscription; its phone is told', '删除订阅'),
  params: {
    ID: {
      type: string({ min: 1, max: 64 }),
      purpose: text('Subscription, as DSP SUBSCRIPTION shows it', '订阅号'),
      required: true,
      example: '01JD0X8Z5V3Q2R1T4Y6W7S9ABC',
    },
  },
  examples: ['RMV SUBSCRIPTION: ID=01JD0X8Z5V3Q2R1T4Y6W7S9ABC'],
  async handler({ services }, { ID: id }) {
    if (services.events.endSubscription(id)) return {};
    const hint = text('See DSP SUBSCRIPTION', '请查看 DSP SUBSCRIPTION');
    throw new MmlError(4001, { what: text('subscription', '订阅'), name: id, hint });
  },
});

const displayPresence = defineCommand({
  verb: 'DSP',
  object: 'PRESENCE',
  purpose: text(
    'Show the presence of a user, or of all that published theirs or are watched',
    '查询用户状态呈现',
  ),
  params: {
    USERNAME: { type: username, purpose: text('User', '用户'), example: '1001' },
    LIMIT,
    WATCH,
  },
  reports: [presenceReport],
  examples: ['DSP PRESENCE', 'DSP PRESENCE: USERNAME=1001'],
  async handler({ services, clock }, { USERNAME: wanted, LIMIT: limit }) {
    const names = wanted === undefined ? services.events.presenceUsers().slice(0, limit) : [wanted];
    const views = (await Promise.all(names.map((name) => services.events.presenceOf(name)))).filter(
      (view) => view !== undefined,
    );
    if (wanted !== undefined && views.length === 0) {
      const hint = text('See LST USER', '请查看 LST USER');
      throw new MmlError(4001, { what: text('user', '用户'), name: wanted, hint });
    }
    const now = clock.now();
    const rows = views.map(
      ({ isOpen, expiresAt, ...view }): Row => ({
        ...view,
        state: isOpen ? 'OPEN' : 'CLOSED',
        source: view.publications > 0 ? 'PUBLISHED' : 'DERIVED',
        expiresInSec: secondsLeft(expiresAt, now),
      }),
    );
    return { sections: [{ report: presenceReport, rows }] };
  },
});

/** Events: DSP SUBSCRIPTION, RMV SUBSCRIPTION, DSP PRESENCE. */
export const eventCommands: readonly Command[] = [displaySubscriptions, removeSubscription, displayPresence];
