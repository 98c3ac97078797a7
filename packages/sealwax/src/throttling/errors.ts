import { defineErrors } from '../errors.ts'

declare module '../errors.ts' {
  interface ErrorCodes extends Readonly<typeof throttlingErrors> {}
}

export const throttlingErrors = defineErrors({
  too_many_attempts: [429, 'Too many attempts'],
})
