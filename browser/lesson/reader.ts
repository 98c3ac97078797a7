import type { Locator, Page } from 'playwright-core'

/** Uses the pointer or the keyboard. */
export type Hands = 'pointer' | 'keyboard'

/** What a reader does in one task of a step. Names are those that a screen reader says. */
interface Task {
  readonly section: Locator
  press(button: string): Promise<void>
  /** Presses a button, and waits for a notice that was not there before. */
  pressForNotice(button: string): Promise<void>
  /** Chooses radio buttons, or checks or unchecks a box. */
  choose(label: string): Promise<void>
  write(label: string, text: string): Promise<void>
  /** Waits for a text. */
  sees(text: string | RegExp): Promise<void>
  /** Gets a token of Ada, unless an earlier step has one. */
  logInOnce(): Promise<void>
  /** Waits until the page has noticed that the task is done. */
  isDone(): Promise<void>
}

/** How to walk one step. */
export interface StepWalk {
  /** The id of the step. */
  readonly id: string
  /** Whether it takes long; a short walk only looks at such a step. */
  readonly isSlow?: true
  walk(reader: Reader): Promise<void>
}

/** Somebody who reads a page. */
export interface Reader {
  readonly page: Page
  task(id: string): Task
}

/** How long the page has to react. */
const PATIENCE_MS = 15_000

/** Returns a reader of a page. */
export function readerOf(page: Page, hands: Hands): Reader {
  page.setDefaultTimeout(PATIENCE_MS)
  return { page, task: (id) => taskIn(page, id, hands) }
}

function taskIn(page: Page, id: string, hands: Hands): Task {
  const section = page.locator(`section[data-task="${id}"]`)
  const press = async (name: string) => {
    const button = section.getByRole('button', { name, exact: true })
    if (hands === 'pointer') return button.click()
    // A disabled button cannot have the focus.
    await section.locator('button:enabled').and(button).focus()
    await page.keyboard.press('Enter')
  }
  return {
    section,
    press,
    async pressForNotice(name) {
      const notices = section.locator('.notice')
      await notices.evaluateAll((all) => all.map((notice) => notice.setAttribute('data-seen', '')))
      await press(name)
      await section.locator('.notice:not([data-seen])').first().waitFor()
    },
    async choose(name) {
      const choice = section.getByRole('radio', { name }).or(section.getByRole('checkbox', { name }))
      if (hands === 'pointer') return choice.click()
      await choice.focus()
      await page.keyboard.press('Space')
    },
    write: (label, text) => section.getByLabel(label, { exact: true }).fill(text),
    sees: (text) => section.getByText(text).filter({ visible: true }).first().waitFor(),
    async logInOnce() {
      const token = section.getByText('You have an access token of Ada.')
      if (!(await token.isVisible())) await press('Log in as Ada')
      await token.waitFor()
    },
    isDone: () => page.locator(`section[data-task="${id}"][data-done="true"]`).waitFor(),
  }
}
