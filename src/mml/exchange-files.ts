import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, realpath, rmdir, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { errorMessage } from '../platform/errors.js';
import { MmlError } from './errors.js';
import { MAX_EXCHANGE_BYTES } from './limits.js';
import { text } from './text.js';

/** What goes into a file: text as UTF-8, or octets. */
export type Pieces = AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>;

/** A file that was written. */
export interface WrittenFile {
  readonly path: string;
  readonly bytes: number;
}

/**
 * Files that commands read and write: those below one directory on the server, DATA_DIR/exchange, and no others. Names that
 * lead out of it, by `..`, as an absolute path or through a link, are refused with MmlError 2010.
 */
export class ExchangeFiles {
  constructor(readonly directory: string) {}

  /** The whole text of a file; a larger one than `maxBytes` is refused. */
  async read(name: string, maxBytes = MAX_EXCHANGE_BYTES): Promise<string> {
    const path = await this.locate(name);
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) {
      const hint = text(`Put it into ${this.directory}`, `请把文件放入 ${this.directory}`);
      throw new MmlError(4001, { what: text('file', '文件'), name, hint });
    }
    if (!(await this.holds(real))) throw outside(this.directory);
    const { size } = await stat(real);
    if (size > maxBytes) throw tooLarge(maxBytes);
    const handle = await open(real, constants.O_RDONLY | constants.O_NOFOLLOW).catch(fail);
    try {
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  }

  /** Writes a new file piece by piece; one that is there is left alone unless `overwrite`. */
  async write(name: string, pieces: Pieces, overwrite = false): Promise<WrittenFile> {
    const { path, handle } = await this.create(name, overwrite);
    try {
      return { path, bytes: await writeAll(handle, pieces) };
    } catch (error) {
      return fail(error);
    } finally {
      await handle.close();
    }
  }

  /** Opens a new file for writing; the caller closes it. */
  async create(
    name: string,
    overwrite = false,
  ): Promise<{ readonly path: string; readonly handle: FileHandle }> {
    const path = await this.locate(name);
    const parent = dirname(path);
    await mkdir(parent, { recursive: true, mode: 0o700 }).catch(fail);
    if (!(await this.holds(await realpath(parent)))) throw outside(this.directory);
    const { O_WRONLY, O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW } = constants;
    const flags = O_WRONLY | O_CREAT | O_NOFOLLOW | (overwrite ? O_TRUNC : O_EXCL);
    const handle = await open(path, flags, 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') throw new MmlError(4002, { what: text('File', '文件'), name });
      return fail(error);
    });
    return { path, handle };
  }

  /** Removes the files of a directory but for the last `keep` by name; the directory too when none is left. */
  async prune(directory: string, keep: number): Promise<void> {
    const path = await this.locate(directory);
    const real = await realpath(path).catch(() => undefined);
    if (real === undefined) return;
    if (!(await this.holds(real))) throw outside(this.directory);
    const names = (await readdir(real)).sort();
    for (const name of names.slice(0, Math.max(0, names.length - keep))) await unlink(join(real, name));
    if (keep === 0) await rmdir(real);
  }

  /** Names for completion: the newest are not known, so the first ones by name. */
  async names(): Promise<string[]> {
    const entries = await readdir(this.directory, { withFileTypes: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  private async locate(name: string): Promise<string> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 }).catch(fail);
    const path = resolve(this.directory, name);
    const isInside = path.startsWith(resolve(this.directory) + sep) && basename(path) !== '';
    if (!isInside || name.includes('\0')) throw outside(this.directory);
    return path;
  }

  private async holds(real: string): Promise<boolean> {
    const home = await realpath(this.directory);
    return real === home || real.startsWith(home + sep);
  }
}

/** `users-20261120-120000.csv`. */
export function datedName(stem: string, now: number, extension: string): string {
  return `${stem}-${fileStamp(now)}.${extension}`;
}

/** `20261120-120000`, in the time zone of the server. */
export function fileStamp(now: number): string {
  const at = new Date(now);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}${two(at.getMonth() + 1)}${two(at.getDate())}`;
  return `${day}-${two(at.getHours())}${two(at.getMinutes())}${two(at.getSeconds())}`;
}

async function writeAll(handle: FileHandle, pieces: Pieces): Promise<number> {
  let bytes = 0;
  for await (const piece of pieces) {
    const data = typeof piece === 'string' ? Buffer.from(piece) : piece;
    await handle.writeFile(data);
    bytes += data.length;
  }
  await handle.sync();
  return bytes;
}

const outside = (directory: string) =>
  new MmlError(2010, {
    reason: text(
      `FILE is a path below ${directory}, without .. and links`,
      `FILE 必须是 ${directory} 之下的路径，不含 .. 与链接`,
    ),
  });

const tooLarge = (bytes: number) =>
  new MmlError(2010, { reason: text(`the file is larger than ${bytes} bytes`, `文件超过 ${bytes} 字节`) });

function fail(error: unknown): never {
  if (error instanceof MmlError) throw error;
  throw new MmlError(5002, { part: text('The disk', '磁盘'), reason: errorMessage(error) }, error);
}
