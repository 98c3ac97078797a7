export { publicBase } from '../core/origins.ts'
