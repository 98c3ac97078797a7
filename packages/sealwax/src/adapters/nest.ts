export { type ProtectedRequest, protect } from '@sealwax/guard/nest'
