import { defineErrors } from '../errors.ts'

declare module '../errors.ts' {
  interface ErrorCodes extends Readonly<typeof oauthErrors> {}
}

export const oauthErrors = defineErrors({
  unauthorized_client: [400, 'Client may not do this'],
  unsupported_grant_type: [400, 'Unsupported grant type'],
  invalid_client: [401, 'Client authentication failed'],
  rotation_under_way: [409, 'Rotation is under way'],
})
