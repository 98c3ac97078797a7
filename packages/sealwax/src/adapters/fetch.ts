export { protect } from '@sealwax/guard/fetch'
