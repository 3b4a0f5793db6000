import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePublicKey } from '../../../src/accounts/public-key.js';

const ED = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';

/** A key as its parts are on the wire. */
const key = (type: string, ...parts: Buffer[]) => {
  const length = (bytes: Buffer) => {
    const size = Buffer.alloc(4);
    size.writeUInt32BE(bytes.length);
    return Buffer.concat([size, bytes]);
  };
  return `${type} ${Buffer.concat([Buffer.from(type), ...parts].map(length)).toString('base64')}`;
};

describe('public keys of operators', () => {
  it('reads type, fingerprint and comment', () => {
    const read = parsePublicKey(`  ${ED}  zhang@office, second floor\n`);
    assert.equal(read.type, 'ssh-ed25519');
    assert.match(read.fingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
    assert.equal(read.comment, 'zhang@office, second floor');
    assert.equal(read.line, `${ED} zhang@office, second floor`);
    assert.equal(parsePublicKey(read.line).fingerprint, read.fingerprint);
  });

  it('refuses what is no key, half a key, another type than it says, and short RSA keys', () => {
    const rsa = (bytes: number) => key('ssh-rsa', Buffer.from([1, 0, 1]), Buffer.alloc(bytes, 0x77));
    assert.equal(parsePublicKey(rsa(257)).type, 'ssh-rsa');
    const bad = [
      '',
      'ssh-ed25519',
      'ssh-ed25519 AAAA',
      'ssh-ed25519 ???',
      key('ssh-ed25519', Buffer.alloc(31)),
      `__proto__ ${ED.split(' ')[1]}`,
      ED.replace('ssh-ed25519', 'ssh-rsa'),
      ED.replace('ssh-ed25519', 'ssh-dss'),
      `command="x" ${ED}`,
      rsa(129),
      key('ssh-ed25519', Buffer.alloc(5000)),
    ];
    for (const line of bad)
      assert.throws(() => parsePublicKey(line), { code: 'FIELD_INVALID' }, line.slice(0, 60));
  });

  it('keeps no line ends and controls of a comment', () => {
    assert.equal(parsePublicKey(`${ED} a\x1b[31mb`).comment, 'a[31mb');
  });
});
