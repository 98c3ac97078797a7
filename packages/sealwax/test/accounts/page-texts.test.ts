import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type PageTexts, SHIPPED_PAGE_TEXTS } from '../../src/accounts/page-texts.ts'

const CODES = [
  ...['password_too_short', 'password_too_long', 'password_too_common', 'password_too_personal'],
  ...['password_breached', 'too_many_attempts', 'one_time_token_invalid', 'email_taken'],
] as const

for (const [language, texts] of Object.entries<PageTexts>(SHIPPED_PAGE_TEXTS)) {
  test(`page texts in ${language}: each code that a page can show has a message of its own`, () => {
    const errors: Readonly<Record<string, string>> = texts.errors
    const messages = CODES.map((code) => errors[code])
    assert.equal(messages.includes(errors.other), false)
    assert.equal(new Set(messages).size, CODES.length)
  })
}
