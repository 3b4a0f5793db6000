import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { partyNumber } from '../../../src/cdr/party-number.js';

describe('partyNumber', () => {
  for (const [text, number] of [
    ['1001', '1001'],
    ['<sip:1001', '1001'],
    ['<sip:1001@ims>', '1001'],
    ['sip:1001@ims;transport=udp', '1001'],
    ['"Li Si" <sips:1001;isub=2@ims:5061;lr?a=b>;tag=x', '1001'],
    ['SIP:+8610@ims', '+8610'],
    ['tel:+8610-1234;ext=5', '+8610-1234'],
    ['sip:li%20si@ims', 'li si'],
    ['sip:li%0d%0asi@ims', 'lisi'],
    ['sip:bad%zz@ims', 'bad%zz'],
    ['sip:1001:secret@ims', '1001'],
    ['sip:ims', ''],
    ['', ''],
    ['李四', '李四'],
    ['sip:a@b@ims', 'a@b'],
  ] as const)
    it(`${JSON.stringify(text)} gives ${JSON.stringify(number)}`, () => {
      assert.equal(partyNumber(text), number);
    });

  it('RFC 3261 §25.1: a display name in quotes may hold brackets', () => {
    assert.equal(partyNumber('"a <b>" <sip:1001@ims>'), '1001');
    assert.equal(partyNumber('"say \\"<hi>\\"" <sip:1001@ims>'), '1001');
  });

  it('is bounded', () => {
    assert.equal(partyNumber('9'.repeat(10_000)).length, 128);
  });
});
