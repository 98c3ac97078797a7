import { randomUUID } from 'node:crypto'
import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

interface Course {
  readonly id: string
  readonly title: string
  /** The user id of the teacher; null for the courses that come with the example. */
  readonly teacher: string | null
}

interface Progress {
  readonly course_id: string
  /** 0 to 100. */
  readonly percent: number
  /** RFC 3339. */
  readonly updated_at: string
}

/**
 * The application's own data. It refers to users by the id in the token (`sub`) and needs nothing
 * else from Sealwax.
 */
export interface Courses {
  list(): Course[]
  add(course: { title: string; teacher: string }): Course
  progressOf(userId: string): Progress[]
  /** @throws UnknownCourse */
  setProgress(userId: string, courseId: string, percent: number): Progress
  close(): void
}

export class UnknownCourse extends Error {
  override readonly name = 'UnknownCourse'
}

const SCHEMA = `
  create table if not exists courses (
    id text primary key, title text not null, teacher text
  ) strict;
  create table if not exists progress (
    user_id text not null,
    course_id text not null references courses (id),
    percent integer not null check (percent between 0 and 100),
    updated_at text not null,
    primary key (user_id, course_id)
  ) strict;
  insert or ignore into courses values
    ('typescript-basics', 'TypeScript from the first line', null),
    ('inside-a-token', 'What is inside a token', null);
`

const FOREIGN_KEY_FAILED = 787

/** Opens or creates the SQLite file, which only its owner can read. */
export function openCourses(path: string): Courses {
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  const database = new DatabaseSync(path, { timeout: 2000 })
  database.exec(SCHEMA)
  const list = database.prepare('select id, title, teacher from courses order by rowid')
  const add = database.prepare('insert into courses values (?, ?, ?) returning id, title, teacher')
  const progress = database.prepare(
    'select course_id, percent, updated_at from progress where user_id = ? order by course_id',
  )
  const setProgress = database.prepare(`
    insert into progress values (?, ?, ?, ?)
    on conflict do update set percent = excluded.percent, updated_at = excluded.updated_at
    returning course_id, percent, updated_at`)
  return {
    list: () => list.all() as unknown as Course[],
    add: ({ title, teacher }) => add.get(randomUUID(), title, teacher) as unknown as Course,
    progressOf: (userId) => progress.all(userId) as unknown as Progress[],
    setProgress(userId, courseId, percent) {
      try {
        return setProgress.get(userId, courseId, percent, new Date().toISOString()) as unknown as Progress
      } catch (error) {
        if (error instanceof Error && 'errcode' in error && error.errcode === FOREIGN_KEY_FAILED)
          throw new UnknownCourse()
        throw error
      }
    },
    close: () => database.close(),
  }
}
