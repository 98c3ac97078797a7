export { protect } from '@sealwax/guard/fastify'
