import { type PublicKey, parsePublicKey } from '../../accounts/public-key.js';
import { MmlError } from '../errors.js';
import { type Command, type CommandContext, defineCommand, type ReportSpec } from '../registry/command.js';
import { string } from '../registry/param-types.js';
import { text } from '../text.js';
import { NAME } from './operator-params.js';

const keyReport: ReportSpec = {
  name: 'keys',
  title: text('Public key', '公钥'),
  columns: [
    { key: 'type', title: text('Type', '类型') },
    { key: 'fingerprint', title: text('Fingerprint', '指纹') },
    { key: 'comment', title: text('Comment', '备注') },
  ],
  layout: 'table',
};

const EXAMPLE_KEY =
  '"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f zhang@office"';

/** The keys of an operator; rejects with MmlError 4001 when there is no such operator. */
async function keysOf({ services }: CommandContext, name: string): Promise<PublicKey[]> {
  const operator = await services.operators.present(name);
  if (!operator) {
    const hint = text('See LST OPERATOR', '请查看 LST OPERATOR');
    throw new MmlError(4001, { what: text('operator', '操作员'), name, hint });
  }
  return (operator.keys ?? []).map(parsePublicKey);
}

const listKeys = defineCommand({
  verb: 'LST',
  object: 'OPKEY',
  purpose: text('List the public keys that an operator may log in with by SSH', '查询操作员的 SSH 公钥'),
  params: { NAME },
  role: 'ADMIN',
  reports: [keyReport],
  examples: ['LST OPKEY: NAME=zhang'],
  async handler(context, { NAME: name }) {
    return { sections: [{ report: keyReport, rows: (await keysOf(context, name)).map(toRow) }] };
  },
});

const addKey = defineCommand({
  verb: 'ADD',
  object: 'OPKEY',
  purpose: text('Let an operator log in by SSH with a public key', '增加操作员的 SSH 公钥'),
  params: {
    NAME,
    KEY: {
      type: string({ max: 3000 }),
      purpose: text('A line of a .pub file of OpenSSH, in quotes', 'OpenSSH .pub 文件中的一行，加引号'),
      required: true,
      example: EXAMPLE_KEY,
    },
  },
  role: 'ADMIN',
  reports: [keyReport],
  examples: [`ADD OPKEY: NAME=zhang, KEY=${EXAMPLE_KEY}`],
  async handler(context, { NAME: name, KEY: line }) {
    const key = parsePublicKey(line);
    const before = await keysOf(context, name);
    if (before.some(({ fingerprint }) => fingerprint === key.fingerprint))
      throw new MmlError(4002, { what: text('Public key', '公钥'), name: key.fingerprint });
    await context.services.operators.modify(name, { keys: [...before, key].map((one) => one.line) });
    return { sections: [{ report: keyReport, rows: [toRow(key)] }] };
  },
});

const removeKey = defineCommand({
  verb: 'RMV',
  object: 'OPKEY',
  purpose: text(
    'Take a public key from an operator; sessions that are open go on',
    '删除操作员的 SSH 公钥；已有会话不受影响',
  ),
  params: {
    NAME,
    KEY: {
      type: string({ max: 64 }),
      purpose: text('Its fingerprint, see LST OPKEY', '公钥指纹，见 LST OPKEY'),
      required: true,
      example: 'SHA256:5J6x0T1mJ0gC0c0vWzQyOaLkqv1s6mYkSRmTgYJ4l7o',
    },
  },
  role: 'ADMIN',
  examples: ['RMV OPKEY: NAME=zhang, KEY=SHA256:5J6x0T1mJ0gC0c0vWzQyOaLkqv1s6mYkSRmTgYJ4l7o'],
  async handler(context, { NAME: name, KEY: fingerprint }) {
    const before = await keysOf(context, name);
    const left = before.filter((key) => key.fingerprint !== fingerprint);
    if (left.length === before.length) {
      const hint = text('See LST OPKEY', '请查看 LST OPKEY');
      throw new MmlError(4001, { what: text('public key', '公钥'), name: fingerprint, hint });
    }
    await context.services.operators.modify(name, { keys: left.map(({ line }) => line) });
    return {};
  },
});

const toRow = ({ type, fingerprint, comment }: PublicKey) => ({ type, fingerprint, comment });

/** The public keys of operators. */
export const operatorKeyCommands: readonly Command[] = [listKeys, addKey, removeKey];
