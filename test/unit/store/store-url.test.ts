import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeTarget, parseStoreUrl } from '../../../src/store/store-url.js';

describe('STORE_URL', () => {
  it('embedded: in the data directory, or where it says', () => {
    for (const [url, directory] of [
      ['embedded:', '/data/store'],
      ['embedded:/var/x', '/var/x'],
      ['embedded:///var/x', '/var/x'],
      ['embedded:./x', `${process.cwd()}/x`],
    ] as const)
      assert.deepEqual(parseStoreUrl(url, '/data'), { kind: 'embedded', directory });
  });

  it('redis: host, port, database, user and password', () => {
    assert.deepEqual(parseStoreUrl('redis://h', '/d'), {
      kind: 'redis',
      tls: false,
      hosts: [{ host: 'h', port: 6379 }],
      database: 0,
    });
    assert.deepEqual(parseStoreUrl('rediss://us%40er:p%2Fw:x@[::1]:7000/3?ca=/etc/ca.pem', '/d'), {
      kind: 'redis',
      tls: true,
      caFile: '/etc/ca.pem',
      hosts: [{ host: '::1', port: 7000 }],
      username: 'us@er',
      password: 'p/w:x',
      database: 3,
    });
    assert.deepEqual(parseStoreUrl('redis+sentinel://:pw@a,b:7001/main/2', '/d'), {
      kind: 'redis',
      tls: false,
      hosts: [
        { host: 'a', port: 26379 },
        { host: 'b', port: 7001 },
      ],
      sentinelMaster: 'main',
      password: 'pw',
      database: 2,
    });
  });

  it('refuses what it cannot use, without the password', () => {
    const bad = [
      '',
      'localhost',
      'http://h',
      'redis+cluster://h',
      'redis://',
      'redis://:Sesame@h:0',
      'redis://:Sesame@h:70000',
      'redis://:Sesame@h/x',
      'redis://:Sesame@h,i',
      'redis://:Sesame%@h',
      'redis+sentinel://:Sesame@h',
      'redis://:Sesame@h\r\n',
    ];
    for (const url of bad)
      assert.throws(
        () => parseStoreUrl(url, '/d'),
        (error: Error & { code?: string }) =>
          error.code === 'STORE_URL_INVALID' && !error.message.includes('Sesame'),
        url,
      );
  });

  it('descriptions name the place and no secret', () => {
    const text = (url: string) => describeTarget(parseStoreUrl(url, '/d'));
    assert.equal(text('embedded:'), 'lmdb /d/store');
    assert.equal(text('redis://user:Sesame@[::1]/2'), 'redis [::1]:6379/2');
    assert.equal(text('redis+sentinel://:Sesame@a,b/m'), 'redis a:26379,b:26379 master m/0');
  });
});
