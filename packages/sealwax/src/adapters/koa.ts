export { protect } from '@sealwax/guard/koa'
