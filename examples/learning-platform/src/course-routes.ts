import express, { type Router } from 'express'
import type { AuthServer } from 'sealwax'
import { protect } from 'sealwax/express'
import { type Courses, UnknownCourse } from './courses.ts'
import { Problem } from './problems.ts'

/**
 * `/courses` and `/progress`. The guard comes first in every route, so the body of an
 * unauthenticated request is not even read. The user is determined only by the token: no request
 * can name another user's id.
 */
export function courseRoutes(guard: AuthServer['guard'], courses: Courses): Router {
  const router = express.Router()
  const json = express.json({ limit: '16kb' })

  router.get('/courses', protect(guard), (_req, res) => {
    res.json({ courses: courses.list() })
  })
  router.post('/courses', protect(guard, { role: 'teacher' }), json, (req, res) => {
    const title = titleOf(req.body)
    res.status(201).json(courses.add({ title, teacher: res.locals.auth.subject }))
  })
  router.get('/progress', protect(guard), (_req, res) => {
    res.json({ progress: courses.progressOf(res.locals.auth.subject) })
  })
  router.put('/progress/:courseId', protect(guard), json, (req, res) => {
    const percent = percentOf(req.body)
    try {
      res.json(courses.setProgress(res.locals.auth.subject, req.params.courseId, percent))
    } catch (error) {
      if (error instanceof UnknownCourse) throw new Problem(404, 'not_found', 'There is no such course')
      throw error
    }
  })
  return router
}

function titleOf(body: unknown): string {
  const title = onlyMember(body, 'title')
  if (typeof title === 'string' && /^[^\p{Cc}\p{Cs}]{1,200}$/u.test(title) && title.trim() !== '') return title.trim()
  throw new Problem(422, 'validation_failed', 'Send {"title": "…"}: one line of 1 to 200 characters, and nothing else')
}

function percentOf(body: unknown): number {
  const percent = onlyMember(body, 'percent')
  if (typeof percent === 'number' && Number.isInteger(percent) && percent >= 0 && percent <= 100) return percent
  throw new Problem(422, 'validation_failed', 'Send {"percent": 40}: a whole number from 0 to 100, and nothing else')
}

/**
 * The value of the only member that a body may have. Express leaves the body undefined if it is not
 * declared as JSON.
 */
function onlyMember(body: unknown, name: string): unknown {
  if (body === undefined)
    throw new Problem(415, 'unsupported_media_type', 'Send a body with Content-Type: application/json')
  if (typeof body !== 'object' || body === null || Object.keys(body).join() !== name) return undefined
  return (body as Record<string, unknown>)[name]
}
