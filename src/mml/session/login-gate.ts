import type { LoggedInOperator, OperatorService } from '../../accounts/types.js';
import type { Clock } from '../../platform/clock.js';
import { MmlError } from '../errors.js';
import { LoginThrottle } from './login-throttle.js';

/** Checks operators' passwords, one at a time: the hash is slow on purpose and must not fill the thread pool. */
export class LoginGate {
  private readonly throttle: LoginThrottle;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly operators: OperatorService,
    clock: Clock,
  ) {
    this.throttle = new LoginThrottle(clock);
  }

  /** Throws MmlError 3006 while the address must wait. */
  checkAddress(address: string): void {
    const waitMs = this.throttle.waitMs(address);
    if (waitMs > 0) throw new MmlError(3006, { seconds: Math.ceil(waitMs / 1000) });
  }

  /** Resolves the operator; rejects with MmlError 3005 or 3006, or with what the Store says. */
  async login(name: string, password: string, address: string): Promise<LoggedInOperator> {
    const attempt = this.last.then(() => this.attempt(name, password, address));
    this.last = attempt.catch(() => undefined);
    return attempt;
  }

  /** Whether a password is right; a wrong one counts as a failed login. Rejects with MmlError 3006. */
  async verify(name: string, password: string, address: string): Promise<boolean> {
    try {
      await this.login(name, password, address);
      return true;
    } catch (error) {
      if (error instanceof MmlError && error.retcode === 3005) return false;
      throw error;
    }
  }

  private async attempt(name: string, password: string, address: string): Promise<LoggedInOperator> {
    this.checkAddress(address);
    const operator = await this.operators.login(name, password, address);
    if (!operator) {
      this.throttle.failed(address);
      throw new MmlError(3005);
    }
    this.throttle.succeeded(address);
    return operator;
  }
}
