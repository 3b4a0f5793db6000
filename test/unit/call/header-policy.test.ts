import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { calleeInviteHeaders, midCallHeaders } from '../../../src/call/header-policy.js';
import { srfMessage } from '../../support/srf-message.js';

const CALLER = { user: '1001', displayName: '', isAnonymous: false };

describe('header fields that cross from one leg to the other', () => {
  test('RFC 3327 §5.1: extensions do, but not what the engine would take for a route of ours', () => {
    const invite = srfMessage(
      [
        'INVITE sip:1002@ims SIP/2.0',
        'X-Odd: a',
        'x-preloaded-ROUTE: <sip:evil.example;lr>',
        'X-Preloaded-Route-2: b',
        'Content-Length: 0\r\n\r\n',
      ].join('\r\n'),
    );
    const sent = {
      ...midCallHeaders(invite),
      ...calleeInviteHeaders(invite, CALLER, '1002', 'ims', 'INVITE'),
    };
    const extensions = Object.entries(sent).filter(([name]) => /^x-/i.test(name));
    assert.deepEqual(
      extensions.map(([name, value]) => [name.toLowerCase(), value]),
      [
        ['x-odd', 'a'],
        ['x-preloaded-route-2', 'b'],
      ],
    );
  });
});
