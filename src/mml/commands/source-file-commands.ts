import type { SourceEntry, SourceListName } from '../../security/source-types.js';
import { datedName } from '../exchange-files.js';
import { LONG_COMMAND_TIMEOUT_MS } from '../limits.js';
import { type Command, defineCommand, type ReportSpec } from '../registry/command.js';
import { text } from '../text.js';
import { fileReport, INPUT_FILE, OUTPUT_FILE, OVERWRITE } from './exchange-params.js';
import { FOR, REASON } from './source-list-commands.js';

/** Faults of a file that are printed; all are counted. */
const MAX_FAULTS_SHOWN = 100;

const OBJECTS = { black: 'BLACKLIST', white: 'WHITELIST' } as const;

const faultReport: ReportSpec = {
  name: 'importFaults',
  title: text('Lines refused', '被拒绝的行'),
  layout: 'table',
  columns: [
    { key: 'line', title: text('Line', '行') },
    { key: 'message', title: text('Why', '原因') },
  ],
};

const importReport: ReportSpec = {
  name: 'imported',
  title: text('Addresses imported', '地址导入结果'),
  columns: [
    { key: 'added', title: text('Added', '新增') },
    { key: 'known', title: text('There already', '已存在') },
    { key: 'refused', title: text('Refused', '拒绝') },
  ],
};

function importCommand(name: SourceListName): Command {
  const object = OBJECTS[name];
  return defineCommand({
    verb: 'IMP',
    object,
    purpose: text(
      'Add addresses and networks from a file, one a line, # for comments',
      '从文件导入地址和网段，每行一个，# 为注释',
    ),
    params: { FILE: { ...INPUT_FILE, example: 'blacklist.txt' }, FOR, REASON },
    timeoutMs: LONG_COMMAND_TIMEOUT_MS,
    reports: [importReport, faultReport],
    examples: [`IMP ${object}: FILE=${object.toLowerCase()}.txt`],
    async handler({ services, session, console, clock }, { FILE: file, FOR: lastsMs, REASON: reason = '' }) {
      const done = await services.sources.import(name, await console.files.read(file), {
        reason,
        by: session.operator,
        ...(lastsMs !== undefined && { expiresAt: clock.now() + lastsMs }),
      });
      const { added, known, faults } = done;
      const rows = faults.slice(0, MAX_FAULTS_SHOWN).map((fault) => ({ ...fault }));
      return {
        sections: [
          { report: importReport, rows: [{ added, known, refused: faults.length }] },
          ...(rows.length > 0 ? [{ report: faultReport, rows }] : []),
        ],
      };
    },
  });
}

function exportCommand(name: SourceListName): Command {
  const object = OBJECTS[name];
  return defineCommand({
    verb: 'EXP',
    object,
    purpose: text(
      'Write the entries that operators made to a file which IMP reads; bans by the server are left out',
      '导出操作员添加的条目到文件，可用 IMP 读回；不含自动封禁',
    ),
    params: { FILE: { ...OUTPUT_FILE, example: 'blacklist.txt' }, OVERWRITE },
    timeoutMs: LONG_COMMAND_TIMEOUT_MS,
    reports: [fileReport],
    examples: [`EXP ${object}`, `EXP ${object}: FILE=${object.toLowerCase()}.txt, OVERWRITE=YES`],
    async handler({ services, console, clock }, { FILE: file, OVERWRITE: overwrite }) {
      const entries = services.sources.list(name).filter(({ isAutomatic }) => !isAutomatic);
      const path = file ?? datedName(object.toLowerCase(), clock.now(), 'txt');
      const written = await console.files.write(path, entries.map(toLine), overwrite);
      return { sections: [{ report: fileReport, rows: [{ ...written, rows: entries.length }] }] };
    },
  });
}

/** What follows the address is for people. */
function toLine({ source, by, reason, expiresAt }: SourceEntry): string {
  const until = expiresAt === undefined ? '' : `, until ${new Date(expiresAt).toISOString()}`;
  return `${source} # ${by}${until}${reason === '' ? '' : `: ${reason}`}\n`;
}

const NAMES: readonly SourceListName[] = ['black', 'white'];

/** Black list and white list in files: IMP, EXP. */
export const sourceFileCommands: readonly Command[] = NAMES.flatMap((name) => [
  importCommand(name),
  exportCommand(name),
]);
