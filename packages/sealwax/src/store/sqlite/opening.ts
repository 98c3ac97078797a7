import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { AuthError } from '../../errors.ts'

/** Why a file cannot be opened, by the code of the operating system. */
const OF_THE_SYSTEM: Readonly<Record<string, string>> = {
  ENOENT: 'its directory does not exist',
  ENOTDIR: 'a part of the path is a file, not a directory',
  EISDIR: 'it is a directory',
  EACCES: 'this process cannot read and write it',
  EPERM: 'this process cannot read and write it',
  EROFS: 'its file system is read-only',
  ENAMETOOLONG: 'the path is too long',
  ELOOP: 'it is a symbolic link that cannot be resolved',
  EMFILE: 'this process has too many open files',
}

/**
 * Why a file cannot be opened, by the primary result code of SQLite
 * (https://sqlite.org/rescode.html).
 */
const OF_SQLITE: Readonly<Record<number, string>> = {
  8: 'this process cannot write to the file or its directory',
  10: 'the disk failed',
  11: 'the file is damaged',
  13: 'the disk is full',
  14: 'this process cannot read and write it, or cannot create files in its directory',
  26: 'the file is not a SQLite database',
}

/**
 * Converts an error from opening to `config_invalid` with path and cause. A busy error stays
 * unchanged.
 */
export function translateAtOpening(error: unknown, path: string): unknown {
  const origin = error instanceof AuthError && error.cause !== undefined ? error.cause : error
  const reason = findReason(origin, resolve(path))
  if (reason === undefined) return error
  return new AuthError('config_invalid', `The database ${resolve(path)} cannot be opened: ${reason}`, { cause: origin })
}

function findReason(error: unknown, path: string): string | undefined {
  if (!(error instanceof Error)) return undefined
  // `connect` has its own message for a mode that cannot be changed.
  if ('syscall' in error && error.syscall === 'chmod') return undefined
  const bySystem = 'code' in error ? OF_THE_SYSTEM[String(error.code)] : undefined
  const bySqlite = 'errcode' in error ? OF_SQLITE[Number(error.errcode) % 256] : undefined
  if (bySystem === undefined && bySqlite === undefined) return undefined
  return explainPath(path) ?? bySystem ?? bySqlite
}

/** The reason by the path itself: SQLite only says that it cannot open the file. */
function explainPath(path: string): string | undefined {
  try {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return OF_THE_SYSTEM.EISDIR
    if (statSync(dirname(path), { throwIfNoEntry: false }) === undefined) return OF_THE_SYSTEM.ENOENT
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? OF_THE_SYSTEM[String(error.code)] : undefined
  }
}
