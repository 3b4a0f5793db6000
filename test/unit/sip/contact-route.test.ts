import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expiresOf, parseContacts } from '../../../src/sip/contact.js';
import { SipRequest } from '../../../src/sip/message.js';
import { parseRoutes } from '../../../src/sip/route.js';

const register = (...contacts: string[]): SipRequest => {
  const request = new SipRequest('REGISTER', 'sip:example.com');
  for (const contact of contacts) request.append('m', contact);
  return request;
};

test('RFC 3261 §20.10: * stands alone', () => {
  assert.equal(parseContacts(register('*')), '*');
  assert.deepEqual(parseContacts(register()), []);
  for (const contacts of [['*', '<sip:a@b>'], ['<sip:a@b>, *'], ['*, *'], ['<sip:a@b>', 'x']])
    assert.equal(parseContacts(register(...contacts)), undefined, contacts.join(' | '));
});

test('RFC 3261 §20.10: q and expires of each Contact over several fields', () => {
  const contacts = parseContacts(
    register('"A, B" <sip:a@b;expires=1>;q=0.7;expires=60, sip:c@d;Expires=0', '<sip:e@f>;q=2;expires=soon'),
  );
  assert.ok(contacts && contacts !== '*');
  assert.deepEqual(
    contacts.map(({ uri, q, expiresSec }) => [uri, q, expiresSec]),
    [
      ['sip:a@b;expires=1', 0.7, 60],
      ['sip:c@d', undefined, 0],
      // RFC 3261 §10.2.1.1: a malformed expiry counts as 3600.
      ['sip:e@f', undefined, 3600],
    ],
  );
});

test('RFC 3261 §20.19: Expires', () => {
  const of = (value: string): number | undefined => expiresOf(register().append('Expires', value));
  assert.deepEqual(['0', '3600', '9'.repeat(30), 'never', ''].map(of), [0, 3600, 2 ** 32 - 1, 3600, 3600]);
  assert.equal(expiresOf(register()), undefined);
});

test('RFC 3261 §20.30, §20.34, §16.12.1.1: route entries in order, loose or strict', () => {
  const request = register().append('Record-Route', '<sip:p1.example.com;lr>, "P" <sip:p2.example.com>;x=1');
  request.append('record-route', '<sips:[2001:db8::1]:5061;lr=on>');
  assert.deepEqual(
    parseRoutes(request, 'record-route')?.map(({ text, isLoose, sipUri }) => [text, isLoose, sipUri.host]),
    [
      ['<sip:p1.example.com;lr>', true, 'p1.example.com'],
      ['"P" <sip:p2.example.com>;x=1', false, 'p2.example.com'],
      ['<sips:[2001:db8::1]:5061;lr=on>', true, '2001:db8::1'],
    ],
  );
  assert.deepEqual(parseRoutes(request, 'route'), []);
  for (const text of ['sip:p1.example.com;lr', '<tel:+123>', '<http://x>', '<sip:a@b', '<sip:>'])
    assert.equal(parseRoutes(register().append('Route', text), 'route'), undefined, text);
});
