import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { WireMessage } from '../../../src/trace/types.js';
import { summaryOf, wireLadder } from '../../../src/trace/wire-ladder.js';
import { requestText, responseText } from '../../support/sip-text.js';

const SDP = { headers: ['Content-Type: application/sdp'], body: 'v=0\r\n' };

function message(mono: number, sent: boolean, callId: string, text: string): WireMessage {
  const peer = callId === 'a' ? '192.0.2.7:5060' : '192.0.2.8:5060';
  return { at: 1e12 + mono, mono, sent, protocol: 'udp', local: '192.0.2.1:5060', peer, callId, text };
}

describe('ladder of messages on the wire', () => {
  it('says of a message what a person wants to know first', () => {
    const invite = requestText({ method: 'INVITE', ...SDP });
    assert.equal(summaryOf(invite), 'INVITE SDP');
    assert.equal(summaryOf(requestText({ method: 'BYE' })), 'BYE');
    assert.equal(summaryOf(responseText(invite, 180)), '180 Test (INVITE)');
    assert.equal(summaryOf('SIP/2.0 200\r\n\r\n'), '200 (?)');
  });

  it('draws both legs: the first that came in is the caller’s, the others are right of the server', () => {
    const invite = requestText({ method: 'INVITE', ...SDP });
    const lines = wireLadder([
      message(1000, false, 'a', invite),
      message(1012, true, 'b', invite),
      message(1200, false, 'b', responseText(invite, 200)),
      message(1210, true, 'a', responseText(invite, 200)),
    ]).split('\n');
    assert.match(lines[0]!, /192\.0\.2\.7:5060 +server +192\.0\.2\.8:5060/);
    assert.match(lines[2]!, /^ +0\.000 \|-+ INVITE SDP -+>\| +\|$/);
    assert.match(lines[3]!, /^ +0\.012 \| +\|-+ INVITE SDP -+>\|$/);
    assert.match(lines[4]!, /^ +0\.200 \| +\|<-+ 200 Test \(INVITE\) -+\|$/);
    assert.match(lines[5]!, /^ +0\.210 \|<-+ 200 Test \(INVITE\) -+\| +\|$/);
  });

  it('is empty without messages', () => {
    assert.equal(wireLadder([]), '');
  });
});
