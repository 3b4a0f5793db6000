import ipaddr from 'ipaddr.js';

/** When an operator may log in, in the time zone of the server. */
export interface WorkingHours {
  /** 1 Monday to 7 Sunday; absent: every day. */
  readonly days?: readonly number[];
  /** Minutes after midnight; `from` later than `until` goes over midnight and belongs to the day that it begins on. */
  readonly from: number;
  readonly until: number;
}

/** What passwords and logins of operators are held to; read when it is used, so that it may change while running. */
export interface OperatorPolicy {
  readonly minPasswordLength: number;
  /** A password must be changed after so many days; 0: never. */
  readonly passwordDays: number;
  /** Wrong passwords in a row that lock an operator; 0: never. */
  readonly lockAfter: number;
  /** How long it stays locked, seconds; 0: until it is unlocked. */
  readonly lockSec: number;
}

export const OPERATOR_POLICY: OperatorPolicy = {
  minPasswordLength: 8,
  passwordDays: 0,
  lockAfter: 10,
  lockSec: 900,
};

/** Whether an address stands in one of the networks (`192.0.2.0/24`, or a single address); none means any. */
export function isAllowedAddress(networks: readonly string[] | undefined, address: string): boolean {
  if (!networks || networks.length === 0) return true;
  if (!ipaddr.isValid(address)) return false;
  const from = ipaddr.process(address);
  return networks.some((network) => {
    if (!network.includes('/')) return ipaddr.process(network).toString() === from.toString();
    const [base, bits] = ipaddr.parseCIDR(network);
    return base.kind() === from.kind() && from.match(base, bits);
  });
}

/** Whether a moment (wall milliseconds) lies within working hours. */
export function isWorkingTime(hours: WorkingHours | undefined, at: number): boolean {
  if (!hours) return true;
  const { from, until, days } = hours;
  const date = new Date(at);
  const minute = date.getHours() * 60 + date.getMinutes();
  const weekday = date.getDay() === 0 ? 7 : date.getDay();
  const isOverMidnight = from >= until;
  const isBefore = isOverMidnight && minute < until;
  const day = isBefore ? ((weekday + 5) % 7) + 1 : weekday;
  if (days && !days.includes(day)) return false;
  return isOverMidnight ? minute >= from || isBefore : minute >= from && minute < until;
}
