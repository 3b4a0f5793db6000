import { AppError } from '../platform/errors.js';

/** A change to conferences that cannot be made. Each sentence says why. */
export class ConferenceError extends AppError {
  declare readonly code:
    | 'FIELD_INVALID'
    | 'CONF_EXISTS'
    | 'CONF_UNKNOWN'
    | 'CONF_EMPTY'
    | 'CONF_MEMBER_UNKNOWN';

  constructor(code: ConferenceError['code'], message: string, name = '') {
    super(code, message, { context: { name } });
  }
}

export const invalid = (why: string): ConferenceError => new ConferenceError('FIELD_INVALID', why);
export const unknown = (room: string): ConferenceError =>
  new ConferenceError('CONF_UNKNOWN', `no room ${room} was made`, room);
export const empty = (room: string): ConferenceError =>
  new ConferenceError('CONF_EMPTY', `nobody is in room ${room}`, room);
