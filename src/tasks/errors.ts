import { AppError } from '../platform/errors.js';

export type TaskErrorCode =
  | 'TASK_EXISTS'
  | 'TASK_UNKNOWN'
  | 'TASK_BUSY'
  | 'TASKS_FULL'
  | 'TASK_IDLE'
  | 'TASK_PAST'
  | 'FIELD_INVALID';

/** Something that cannot be done with a task. Each sentence says what to do. */
export class TaskError extends AppError {
  declare readonly code: TaskErrorCode;

  constructor(code: TaskErrorCode, message: string, name = '') {
    super(code, message, { context: { name } });
  }
}

/** There is no task of this name. */
export function unknownTask(name: string): TaskError {
  const shown = name.slice(0, 64);
  return new TaskError('TASK_UNKNOWN', `there is no task ${shown}`, shown);
}
