import { type AuditPage, listAudit } from './audit.ts'
import { checkedCalls } from './calls.ts'
import type { Context } from './context.ts'

/** `auth.audit`: the audit log. */
export interface AuditApi {
  /**
   * Returns a page of the audit log, newest first.
   *
   * @param query `before` is `next` of the previous page; `limit` is 50 by default, at most 500
   * @throws {AuthError} `validation_failed`
   * @example
   * const { data, next } = await auth.audit.list({ subject: user.id, type: 'user.login_failed' })
   */
  list(query?: { before?: number; limit?: number; subject?: string; type?: string }): Promise<AuditPage>
}

/** Creates `auth.audit`. */
export function auditApi(context: Context): { readonly audit: AuditApi } {
  return {
    audit: checkedCalls<AuditApi>(
      'audit',
      { list: (query) => listAudit(context, query) },
      { list: [['query?', { before: 'integer?', limit: 'integer?', subject: 'string?', type: 'string?' }]] },
    ),
  }
}
