import { createRoute, z } from '@hono/zod-openapi'
import type { Context as HonoContext } from 'hono'
import type { Context } from '../core/context.ts'
import type { RequestOrigin } from '../core/request-origin.ts'
import { AuthError } from '../errors.ts'
import type { Edge } from '../http/edge.ts'
import type { HttpEnv } from '../http/env.ts'
import { formPageReply } from '../http/form-page.ts'
import { hashesPassword } from '../http/schemas.ts'
import { undoEmailChange } from './email-change.ts'
import { verifyEmail } from './email-verification.ts'
import { createInvitedUser } from './invitations.ts'
import { reportNotMe } from './not-me.ts'
import { findPageTexts, type PageName } from './page-texts.ts'
import { resetPassword } from './password-reset.ts'

interface Page {
  readonly path: string
  readonly asksPassword: boolean
  /** The effect of the button. */
  use(sent: { token: string; password: string; all: boolean }, origin: RequestOrigin): Promise<unknown>
}

function pagesOf(context: Context): Readonly<Record<PageName, Page>> {
  return {
    'verify-email': {
      path: '/account/verify-email',
      asksPassword: false,
      use: ({ token }, origin) => verifyEmail(context, { token }, origin),
    },
    'reset-password': {
      path: '/account/reset-password',
      asksPassword: true,
      use: ({ token, password }, origin) => resetPassword(context, { token }, password, origin),
    },
    'undo-email-change': {
      path: '/account/undo-email-change',
      asksPassword: false,
      use: ({ token }, origin) => undoEmailChange(context, token, origin),
    },
    'not-me': {
      path: '/account/not-me',
      asksPassword: false,
      use: ({ token, all }, origin) => reportNotMe(context, { token, all }, origin),
    },
    invitation: {
      path: '/account/invitation',
      asksPassword: true,
      use: ({ token, password }, origin) => createInvitedUser(context, { invitation: token, password }, origin),
    },
  }
}

const htmlReply = { description: 'A page', content: { 'text/html': { schema: z.string() } } } as const

/** The page again, with the reason. */
const refused = { ...htmlReply, description: 'The page with an error message' } as const
const later = {
  ...refused,
  headers: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'string' } } },
} as const
const refusedReplies = { 400: refused, 403: refused, 409: refused, 422: refused, 429: later, 503: later } as const

/**
 * The pages to which the links in mails lead. Opening one uses nothing up, since mail scanners open
 * every link: its button does.
 */
export function pageRoutes({ app, context, requestOrigin }: Edge): void {
  for (const [name, page] of Object.entries(pagesOf(context)) as [PageName, Page][]) {
    const { path } = page
    const operation = name.replace(/-\w/g, (part) => part.charAt(1).toUpperCase())
    app.openapi(
      createRoute({
        method: 'get',
        path,
        operationId: `${operation}Page`,
        summary: `The page of the link: ${operation}`,
        request: { query: z.object({ token: z.string().max(128).optional() }) },
        responses: { 200: htmlReply },
      }),
      (c) => show(c, name, page, c.req.valid('query').token ?? '') as never,
    )
    app.openapi(
      createRoute({
        ...(page.asksPassword && hashesPassword),
        method: 'post',
        path,
        operationId: `${operation}Submit`,
        summary: `The button of this page: ${operation}`,
        request: {
          body: {
            required: true,
            content: {
              'application/x-www-form-urlencoded': {
                schema: z.object({
                  token: z.string().max(128).default(''),
                  password: z.string().max(1024).default(''),
                  all: z.literal('1').optional(),
                }),
              },
            },
          },
        },
        responses: { 200: htmlReply, ...refusedReplies },
      }),
      async (c) => {
        const { token, password, all } = c.req.valid('form')
        try {
          await page.use({ token, password, all: all === '1' }, requestOrigin(c))
        } catch (error) {
          if (!(error instanceof AuthError) || error.code === 'internal_error') throw error
          c.set('code', error.code)
          return show(c, name, page, token, error) as never
        }
        const { language, texts } = textsFor(c)
        return formPageReply({ language, ...texts.pages[name].done }) as never
      },
    )
  }

  function textsFor(c: HonoContext<HttpEnv>) {
    return findPageTexts(c.req.header('Accept-Language'), context.config)
  }

  function show(c: HonoContext<HttpEnv>, name: PageName, page: Page, token: string, error?: AuthError) {
    const { language, texts } = textsFor(c)
    const { title, text, button, more } = texts.pages[name]
    const hint = texts.passwordHint.replace('{min}', String(context.config.passwordMinLength))
    const message = error && (texts.errors[error.code] ?? texts.errors.other)
    const password = { label: texts.password, hint, type: 'password', autocomplete: 'new-password' } as const
    const fields = page.asksPassword ? [{ name: 'password', ...password }] : []
    const form = { hidden: { token }, fields, button, more: more === undefined ? more : { name: 'all', label: more } }
    return formPageReply({ language, title, text, error: message, form }, error)
  }
}
