import { shortTorture } from './torture.ts'

shortTorture('sqlite')
