import { shortTorture } from './torture.ts'

shortTorture('postgres')
