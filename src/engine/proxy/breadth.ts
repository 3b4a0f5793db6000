import type { SipRequest } from '../../sip/message.js';
import { parseDigits } from '../../sip/numbers.js';
import { DEFAULT_MAX_BREADTH } from './limits.js';

/** How many branches a request may have at once over all proxies from here on (RFC 5393 §5). */
export class Breadth {
  private left: number;

  constructor(request: SipRequest) {
    const given = parseDigits(request.get('max-breadth') ?? '');
    this.left = Math.min(given ?? DEFAULT_MAX_BREADTH, DEFAULT_MAX_BREADTH);
  }

  /** A fair part for one of `branches` that are about to start; 0 when they have to wait. */
  take(branches: number): number {
    const part = Math.min(this.left, Math.max(1, Math.floor(this.left / branches)));
    this.left -= part;
    return part;
  }

  /** A branch is over, its part is free again (RFC 5393 §5.3.3). */
  give(part: number): void {
    this.left += part;
  }
}
