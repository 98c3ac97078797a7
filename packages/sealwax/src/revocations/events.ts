import { defineEvents } from '../core/events.ts'

declare module '../core/events.ts' {
  interface AuditEventTypes extends Readonly<typeof revocationEvents> {}
}

export const revocationEvents = defineEvents({ 'token.revoked': {} })
