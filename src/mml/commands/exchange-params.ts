import type { ParamSpec, ReportSpec } from '../registry/command.js';
import { boolean, string } from '../registry/param-types.js';
import { text } from '../text.js';

const PURPOSE = text(
  'File on the server, below DATA_DIR/exchange; a name with the date and time when absent',
  '服务器上的文件，位于 DATA_DIR/exchange 之下；缺省时按日期时间命名',
);

/** `FILE=` that a command writes. */
export const OUTPUT_FILE = {
  type: string({ max: 200 }),
  purpose: PURPOSE,
  example: 'export.csv',
} as const satisfies ParamSpec;

/** `FILE=` that a command reads. */
export const INPUT_FILE = {
  type: string({ max: 200 }),
  purpose: text('File on the server, below DATA_DIR/exchange', '服务器上的文件，位于 DATA_DIR/exchange 之下'),
  required: true,
  example: 'import.csv',
} as const satisfies ParamSpec;

/** `OVERWRITE=`: whether a file that is there may be replaced. */
export const OVERWRITE = {
  type: boolean,
  purpose: text('Replace a file that is there', '覆盖已有文件'),
  default: 'NO',
} as const satisfies ParamSpec;

export const fileReport: ReportSpec = {
  name: 'file',
  title: text('File written', '已写入文件'),
  columns: [
    { key: 'path', title: text('File', '文件') },
    { key: 'rows', title: text('Rows', '行数') },
    { key: 'bytes', title: text('Size', '大小'), format: 'bytes' },
  ],
};
