export { protect } from '@sealwax/guard/hono'
