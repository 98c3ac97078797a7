import { questions } from '../../../packages/web/src/learn/quiz/questions.ts'
import type { StepWalk } from '../reader.ts'

/** How many questions the reader answers wrongly first. */
const WRONG = 3

export const quiz: StepWalk = {
  id: 'quiz',
  async walk({ task }) {
    const answers = task('answers')
    for (const missed of [WRONG, 0]) {
      const items = answers.section.locator('.quiz > li')
      for (let index = 0; index < questions.length; index++) {
        const asked = await items.nth(index).locator('legend').innerText()
        const question = questions.find(({ text }) => asked.endsWith(shown(text)))
        if (question === undefined) throw new Error(`an unknown question: ${asked}`)
        const order = question.answers.toSorted((one, other) => Number(one.isRight) - Number(other.isRight))
        for (const { text, isRight, explanation } of index < missed ? order : order.slice(-1)) {
          await items
            .nth(index)
            .getByRole('radio', { name: shown(text), exact: true })
            .click()
          await answers.press(`Check question ${index + 1}`)
          await items
            .nth(index)
            .getByText(isRight ? 'Right.' : 'Not right.', { exact: true })
            .waitFor()
          await items.nth(index).getByText(shown(explanation)).waitFor()
        }
      }
      await answers.sees(`${questions.length - missed} of ${questions.length} right at the first try.`)
      await answers.isDone()
      if (missed > 0) await answers.press('Try again, in another order')
    }
  },
}

/** In the data, code is between backticks. */
function shown(text: string): string {
  return text.replaceAll('`', '')
}
