import type { StepWalk } from '../reader.ts'

export const guard: StepWalk = {
  id: 'guard',
  async walk({ task }) {
    const attempt = task('try')
    for (const [button, status] of [
      ['Ask as nobody', '401 Unauthorized'],
      ['Ask as Ada', '403 Forbidden'],
      ['Ask as Grace', '200 OK'],
    ] as const) {
      const question = attempt.section.locator('.attempt').filter({ hasText: button })
      await question.getByRole('radio', { name: '403 Forbidden' }).click()
      await attempt.press(button)
      await question.locator('.status').getByText(status).waitFor()
    }
    await attempt.isDone()
  },
}
