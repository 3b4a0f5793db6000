import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ParamList } from '../../../src/sip/param-list.js';

const FEW = 3;
const MANY = 5000;

for (const count of [FEW, MANY])
  test(`${count} parameters keep their order, are found by name, replaced in place and taken out`, () => {
    const params = new ParamList();
    for (let i = 0; i < count; i++) params.set(`p${i}`, String(i));
    assert.equal(params.size, count);
    assert.equal(params.get('p1'), '1');
    assert.equal(params.get('p'), undefined);
    params.set('p1', 'other');
    assert.equal(params.has('p0') && params.delete('p0'), true);
    assert.equal(params.delete('p0'), false);
    assert.deepEqual([params.size, [...params][0]], [count - 1, ['p1', 'other']]);
    assert.equal(params.get(`p${count - 1}`), String(count - 1));
    params.set('p0', '');
    assert.equal(params.toString().startsWith(';p1=other;p2=2'), true);
    assert.equal(params.toString().endsWith(';p0'), true);
  });

test('parameters of one list are not those of another', () => {
  const first = new ParamList();
  const second = new ParamList();
  first.set('a', '1');
  assert.deepEqual([second.size, [...second], second.toString()], [0, [], '']);
});
