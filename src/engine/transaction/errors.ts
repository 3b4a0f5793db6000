import { AppError } from '../../platform/errors.js';

/** Too many transactions of our own are under way; the request was not sent. */
export class TransactionLimitError extends AppError {
  constructor(limit: number) {
    super('TRANSACTION_LIMIT', `over ${limit} client transactions`, { sipStatus: 503 });
  }
}
