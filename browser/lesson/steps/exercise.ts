import { GUARD_SOLUTION } from '../../../packages/web/src/learn/exercise/guard-code.ts'
import { VERIFIER_SOLUTION } from '../../../packages/web/src/learn/exercise/verifier-code.ts'
import type { StepWalk } from '../reader.ts'

/** Answers of a reader who has not understood it yet, and what the page says to each. */
const WRONG = {
  verifier: [
    ['while (true) {}', /stopped/],
    ['this is not JavaScript', /^Your code/],
    ['async function verify(token) { return JSON.parse(decode(token.split(".")[1])) }', /^\d+ of \d+ are as expected/],
    [VERIFIER_SOLUTION.replace('<= Date.now()', '< 1 / Date.now()'), /^\d+ of \d+ are as expected/],
  ],
  guard: [
    ['async function guard(c, next) { await next() }', /^\d+ of \d+ are as expected/],
    [GUARD_SOLUTION.replace('/^Bearer', '/Bearer'), /^\d+ of \d+ are as expected/],
  ],
} as const

export const exercise: StepWalk = {
  id: 'exercise',
  isSlow: true,
  async walk({ task }) {
    for (const [name, solution] of [
      ['verifier', VERIFIER_SOLUTION],
      ['guard', GUARD_SOLUTION],
    ] as const) {
      for (const [code, reply] of WRONG[name]) {
        await task(name).write(`The code of your ${name}`, code)
        await task(name).pressForNotice(`Run my ${name}`)
        await task(name).sees(reply)
        if ((await task(name).section.locator('.notice.good').count()) > 0) throw new Error(`${name} accepts: ${code}`)
      }
      for (const hint of [1, 2, 3]) await task(name).section.getByText(`Hint ${hint}:`).click()
      await task(name).write(`The code of your ${name}`, solution)
      await task(name).pressForNotice(`Run my ${name}`)
      await task(name).sees(/^All \d+ are as expected\.$/)
      await task(name).isDone()
    }
  },
}
