import { AccountError } from './errors.js';
import { SERVICE_TYPES, USER_STATUSES, type UserInput } from './types.js';

/** A part of RFC 3261 §25.1 `user` that needs no escaping anywhere: SIP, MML, CSV, file names. */
const USERNAME = /^[A-Za-z0-9._+-]{1,64}$/;
const PHONE = /^[0-9+*#(). -]{0,32}$/;
const EMAIL = /^[^\s@]+@[^\s@]+$/;
const CONTROL = /[\u0000-\u001f\u007f]/;
/** Longest display name and e-mail address, characters. */
const MAX_TEXT_LENGTH = 128;
/** Shortest and longest password of subscribers and operators, characters. */
export const MIN_PASSWORD_LENGTH = 6;
export const MAX_PASSWORD_LENGTH = 128;

/** Whether a text may be the name of a user or operator. */
export function isUsername(text: string): boolean {
  return USERNAME.test(text);
}

/** Throws AccountError (USERNAME_INVALID) for a name that cannot be one. */
export function checkUsername(name: string): void {
  if (!isUsername(name))
    throw new AccountError(
      'USERNAME_INVALID',
      'a name has 1 to 64 letters, digits or any of . _ + - and nothing else',
    );
}

/** Throws AccountError (PASSWORD_WEAK). `allowShort` is for passwords that people have already, as in an import. */
export function checkPassword(
  name: string,
  password: string,
  allowShort = false,
  minLength = MIN_PASSWORD_LENGTH,
): void {
  const weak = (message: string) => new AccountError('PASSWORD_WEAK', message, { name });
  if (password.length === 0 || password.length > MAX_PASSWORD_LENGTH || CONTROL.test(password))
    throw weak(`a password has 1 to ${MAX_PASSWORD_LENGTH} characters and no control characters`);
  if (allowShort) return;
  if (password.length < minLength)
    throw weak(`the password is too short: take at least ${minLength} characters`);
  if (password.toLowerCase() === name.toLowerCase()) throw weak('the password is the name: take another one');
}

/** Throws AccountError (FIELD_INVALID) for a field that is out of range. */
export function checkFields(input: UserInput): void {
  const invalid = (field: string, allowed: string) =>
    new AccountError('FIELD_INVALID', `${field} must be ${allowed}`, { field });
  const { displayName, phone, email, status, serviceType } = input;
  if (displayName !== undefined && !isLine(displayName))
    throw invalid('display name', `one line of at most ${MAX_TEXT_LENGTH} characters`);
  if (phone !== undefined && !PHONE.test(phone))
    throw invalid('phone', 'at most 32 digits and any of + * # ( ) . -');
  if (email !== undefined && email !== '' && !(isLine(email) && EMAIL.test(email)))
    throw invalid('email', `an address of at most ${MAX_TEXT_LENGTH} characters`);
  if (status !== undefined && !USER_STATUSES.includes(status))
    throw invalid('status', `one of ${USER_STATUSES.join(', ')}`);
  if (serviceType !== undefined && !SERVICE_TYPES.includes(serviceType))
    throw invalid('service type', `one of ${SERVICE_TYPES.join(', ')}`);
}

function isLine(text: string): boolean {
  return text.length <= MAX_TEXT_LENGTH && !CONTROL.test(text);
}
