import type { Generated } from 'kysely'
import type {} from '../core/tables.ts'

declare module '../core/tables.ts' {
  interface Tables {
    revocations: {
      position: Generated<number>
      kind: 'sid' | 'sub' | 'ver' | 'kid' | 'jti'
      key: string
      ver: number | null
      until: number
      except_sid: string | null
    }
  }
}
