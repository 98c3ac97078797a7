export { postgresStore } from './store.ts'
