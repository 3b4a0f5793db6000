import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { causeToStatus, statusToCause } from '../../../src/cdr/q850.js';

describe('Q.850', () => {
  it('RFC 3398 §8.2.6.1: SIP status to cause', () => {
    const table = {
      400: 41,
      401: 21,
      402: 21,
      403: 21,
      404: 1,
      405: 63,
      406: 79,
      407: 21,
      408: 102,
      410: 22,
      413: 127,
      414: 127,
      415: 79,
      416: 127,
      420: 127,
      421: 127,
      423: 127,
      480: 18,
      481: 41,
      482: 25,
      483: 25,
      484: 28,
      485: 1,
      486: 17,
      500: 41,
      501: 79,
      502: 38,
      503: 41,
      504: 102,
      505: 127,
      513: 127,
      600: 17,
      603: 21,
      604: 1,
    };
    for (const [status, cause] of Object.entries(table))
      assert.equal(statusToCause(Number(status)), cause, status);
    for (const status of [0, 100, 180, 200, 302, 487, 488, 606, 700])
      assert.equal(statusToCause(status), undefined, `${status}`);
  });

  it('RFC 3261 §8.1.3.2: an unknown status counts as its class', () => {
    assert.deepEqual([499, 599, 699].map(statusToCause), [41, 41, 17]);
  });

  it('RFC 3398 §7.2.4.1: cause to SIP status', () => {
    const table = {
      1: 404,
      2: 404,
      3: 404,
      17: 486,
      18: 408,
      19: 480,
      20: 480,
      21: 403,
      22: 410,
      23: 410,
      26: 404,
      27: 502,
      28: 484,
      29: 501,
      31: 480,
      34: 503,
      38: 503,
      41: 503,
      42: 503,
      47: 503,
      55: 403,
      57: 403,
      58: 503,
      65: 488,
      70: 488,
      79: 501,
      87: 403,
      88: 503,
      102: 504,
      111: 500,
      127: 500,
    };
    for (const [cause, status] of Object.entries(table))
      assert.equal(causeToStatus(Number(cause)), status, cause);
    assert.equal(causeToStatus(16), undefined);
    assert.equal(causeToStatus(99), 500);
  });
});
