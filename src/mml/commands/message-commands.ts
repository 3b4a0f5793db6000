import type { Letter } from '../../messaging/types.js';
import { MmlError } from '../errors.js';
import { type Command, defineCommand, type ReportSpec, type Row } from '../registry/command.js';
import { string, username } from '../registry/param-types.js';
import { text } from '../text.js';
import { AFTER, LIMIT, moreNote } from './paging.js';

const messageReport: ReportSpec = {
  name: 'waitingMessages',
  title: text('Waiting message', '待发消息'),
  columns: [
    { key: 'id', title: text('Message', '消息号') },
    { key: 'recipient', title: text('Recipient', '接收方') },
    { key: 'sender', title: text('Sender', '发送方') },
    { key: 'receivedAt', title: text('Received', '接收时间'), format: 'time' },
    { key: 'expiresInSec', title: text('Expires in', '剩余有效期'), format: 'seconds' },
    { key: 'type', title: text('Type', '类型') },
    { key: 'bytes', title: text('Bytes', '字节数') },
  ],
};

const removedReport: ReportSpec = {
  name: 'removedMessages',
  title: text('Messages removed', '已删除的消息'),
  columns: [
    { key: 'username', title: text('Recipient', '接收方') },
    { key: 'removed', title: text('Removed', '删除数') },
  ],
};

/** The text is nobody's but the recipient's. */
function toRow(letter: Letter, now: number): Row {
  const { id, recipient, sender, receivedAt, expiresAt, headers, body } = letter;
  const expiresInSec = Math.max(0, Math.round((expiresAt - now) / 1000));
  const type = headers['Content-Type'];
  return { id, recipient, sender, receivedAt, expiresInSec, type, bytes: Buffer.byteLength(body) };
}

const listMessages = defineCommand({
  verb: 'LST',
  object: 'MESSAGE',
  purpose: text('List the instant messages that wait for phones; never their text', '查询待发的即时消息'),
  params: {
    USERNAME: { type: username, purpose: text('Recipient', '接收方'), example: '1001' },
    AFTER: { ...AFTER, example: '1001/01JD0X8Z5V3Q2R1T4Y6W7S9ABC' },
    LIMIT,
  },
  excludes: [['USERNAME', 'AFTER']],
  reports: [messageReport],
  examples: ['LST MESSAGE', 'LST MESSAGE: USERNAME=1001'],
  async handler({ services, clock }, { USERNAME: name, AFTER: after, LIMIT: limit }) {
    const now = clock.now();
    if (name !== undefined) {
      const letters = (await services.messages.waitingFor(name)).slice(0, limit);
      return { sections: [{ report: messageReport, rows: letters.map((letter) => toRow(letter, now)) }] };
    }
    const page = await services.messages.listWaiting({ limit, ...(after !== undefined && { after }) });
    const last = page.length === limit ? page.at(-1)?.key : undefined;
    const note = last === undefined ? {} : { note: moreNote('AFTER', last) };
    const rows = page.filter(({ letter }) => letter.expiresAt > now).map(({ letter }) => toRow(letter, now));
    return { sections: [{ report: messageReport, rows, ...note }] };
  },
});

const removeMessages = defineCommand({
  verb: 'RMV',
  object: 'MESSAGE',
  purpose: text('Remove instant messages that wait: one, or all of a user', '删除待发的即时消息'),
  params: {
    USERNAME: { type: username, purpose: text('Recipient', '接收方'), required: true, example: '1001' },
    ID: {
      type: string({ min: 1, max: 64 }),
      purpose: text('Message, as LST MESSAGE shows it; all without it', '消息号；缺省为全部'),
      example: '01JD0X8Z5V3Q2R1T4Y6W7S9ABC',
    },
  },
  dangerous: text('The messages are lost.', '消息将丢失。'),
  reports: [removedReport],
  examples: ['RMV MESSAGE: USERNAME=1001, CONFIRM=YES'],
  async handler({ services }, { USERNAME: name, ID: id }) {
    const removed = await services.messages.discard(name, id);
    if (removed === 0 && id !== undefined) {
      const hint = text('It may have been delivered: see LST MESSAGE', '可能已送达：请查看 LST MESSAGE');
      throw new MmlError(4001, { what: text('message', '消息'), name: id, hint });
    }
    return { sections: [{ report: removedReport, rows: [{ username: name, removed }] }] };
  },
});

/** Instant messages that wait: LST, RMV MESSAGE. */
export const messageCommands: readonly Command[] = [listMessages, removeMessages];
