import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { savedInvite } from '../../../src/call/survival/save-call.js';
import { readSavedCall } from '../../../src/call/survival/saved-call.js';
import type { SrfRequest } from '../../../src/signalling/srf-types.js';
import { SAVED_CALL } from '../../support/saved-call-parts.js';

const target = { uri: 'sip:1001@127.0.0.1', address: '127.0.0.1', port: 5062, transport: 'udp' };

function saved(headers: Record<string, string> | undefined) {
  const leg = { party: 'CALLER', dialogId: 'd', callId: 'c', target };
  return {
    ...SAVED_CALL,
    a: {
      ...leg,
      role: 'uas',
      name: 'a',
      side: 'a',
      ...(headers && { invite: { uri: 'sip:1002@ims', headers } }),
    },
    winner: { ...leg, role: 'uac', name: 'b1', side: 'b', party: 'CALLEE' },
    legCount: 1,
  };
}

describe('what is kept of a call', () => {
  it('a long header is not kept, but those that a leg is made of always are', () => {
    const long = 'x'.repeat(3000);
    const from = `"${long}" <sip:1001@ims>;tag=1`;
    const headers = { from, to: '<sip:1002@ims>', 'x-long': long, via: 'SIP/2.0/UDP a', subject: 'hello' };
    const kept = savedInvite({ uri: 'sip:1002@ims', headers } as unknown as SrfRequest);
    assert.deepEqual(kept?.headers, { from, to: '<sip:1002@ims>', subject: 'hello' });
  });

  it('a leg that called us and has no From is not taken for a call', () => {
    assert.ok(readSavedCall(saved({ from: '<sip:1001@ims>;tag=1' })));
    assert.equal(readSavedCall(saved({ to: '<sip:1002@ims>' })), undefined);
    assert.equal(readSavedCall(saved(undefined)), undefined);
  });
});
