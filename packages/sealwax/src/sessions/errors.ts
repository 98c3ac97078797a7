import { defineErrors } from '../errors.ts'

declare module '../errors.ts' {
  interface ErrorCodes extends Readonly<typeof sessionErrors> {}
}

export const sessionErrors = defineErrors({
  invalid_grant: [400, 'Invalid refresh token'],
  invalid_scope: [400, 'Invalid scope'],
  user_disabled: [403, 'User is disabled'],
  exchange_disabled: [403, 'Sessions are not exchanged'],
  exchange_refused: [403, 'Session is not exchanged'],
})
