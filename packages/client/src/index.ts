export type { Account, MailProof } from './account.ts'
export {
  type Client,
  type ClientOptions,
  type Credentials,
  createClient,
  type LoggedIn,
  type SignUp,
} from './client.ts'
export { type ClientCode, ClientError } from './errors.ts'
export type { ClientStorage } from './storage.ts'
export type { Session, User, UserSession } from './types.ts'
