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

  it('RFC 4253 §6.6: measures the modulus of an RSA key, and wants nothing after it', () => {
    const E = Buffer.from([1, 0, 1]);
    const modulus = (bits: number) => Buffer.concat([Buffer.from([0, 0x80]), Buffer.alloc(bits / 8 - 1)]);
    assert.equal(parsePublicKey(key('ssh-rsa', E, modulus(2048))).type, 'ssh-rsa');
    for (const parts of [
      [E, modulus(1024)],
      [E, modulus(1984)],
      [Buffer.alloc(141, 0x77), modulus(1024)],
      [Buffer.alloc(9, 0x77), modulus(2048)],
      [E, Buffer.alloc(300)],
      [E, modulus(2048), Buffer.alloc(1)],
      [E],
      [Buffer.alloc(0), modulus(2048)],
    ])
      assert.throws(() => parsePublicKey(key('ssh-rsa', ...parts)), { code: 'FIELD_INVALID' });
  });

  it('keeps no line ends and controls of a comment', () => {
    assert.equal(parsePublicKey(`${ED} a\x1b[31mb`).comment, 'a[31mb');
  });
});
