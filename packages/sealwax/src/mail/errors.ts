import { defineErrors } from '../errors.ts'

declare module '../errors.ts' {
  interface ErrorCodes extends Readonly<typeof mailErrors> {}
}

export const mailErrors = defineErrors({
  mail_failed: [502, 'Mail was not accepted'],
})
