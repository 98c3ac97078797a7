export { protect } from '@sealwax/guard/express'
