import { html, raw } from 'hono/html'
import type { AuthError } from '../errors.ts'
import { once } from './once.ts'
import { stylePolicy } from './style-policy.ts'

/** A small page with some text and perhaps a form. It has no scripts and no external resources. */
export interface FormPage {
  /** The language of the texts, as in `lang`. */
  readonly language: string
  readonly title: string
  readonly text: string
  /** An error message, shown above the form. */
  readonly error?: string | undefined
  readonly form?: PageForm | undefined
}

/** A form that is sent to the address of its page. */
interface PageForm {
  /** Values that are sent unchanged. */
  readonly hidden: Readonly<Record<string, string>>
  readonly fields: readonly {
    readonly name: string
    readonly label: string
    readonly hint?: string
    readonly type: 'password' | 'email' | 'text'
    readonly autocomplete: string
  }[]
  readonly button: string
  /** A second button, which also sends its name with the value 1. */
  readonly more?: { readonly name: string; readonly label: string } | undefined
}

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c1a19, #ece7e2); --soft: light-dark(#5d5650, #aaa29a);
  --page: light-dark(#fffdfb, #171513); --line: light-dark(#8a7f75, #7d756d); --accent: light-dark(#9b1c1c, #f0928a); --on: light-dark(#fff, #171513) }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 1.5rem; background: var(--page); color: var(--ink); font: 1.0625rem/1.55 system-ui, sans-serif }
main { width: 100%; max-width: 26rem }
h1 { margin: 0 0 .75rem; font-size: 1.6rem; line-height: 1.25 }
p { margin: 0 0 1rem }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem }
small { color: var(--soft); display: block; margin-top: .25rem }
input { width: 100%; font: inherit; padding: .6rem .75rem; border: 1px solid var(--line); border-radius: .4rem; background: transparent; color: inherit }
button { width: 100%; margin-top: 1.5rem; padding: .75rem; border: 0; border-radius: .4rem; background: var(--accent); color: var(--on); font: inherit; font-weight: 600; cursor: pointer }
.more { margin-top: .75rem; background: none; border: 1px solid var(--accent); color: var(--accent) }
.error { border-left: .25rem solid var(--accent); padding: .5rem .75rem; font-weight: 600 }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
`

const policy = once(() => stylePolicy(STYLE, "'self'"))

/**
 * Returns a page as a reply. Its address contains a token, so it must not be cached.
 *
 * @param refusal the error that the page shows, with the status and the time to wait
 */
export async function formPageReply(page: FormPage, refusal?: AuthError): Promise<Response> {
  const { status = 200, retryAfter } = refusal ?? {}
  return new Response(String(await render(page)), {
    status,
    headers: {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Security-Policy': await policy(),
      'Cache-Control': 'no-store',
      // With `no-referrer`, browsers would send the form with `Origin: null`.
      'Referrer-Policy': 'same-origin',
      'X-Robots-Tag': 'noindex',
      ...(retryAfter !== undefined && { 'Retry-After': String(retryAfter) }),
    },
  })
}

function render({ language, title, text, error, form }: FormPage) {
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>${
    error === undefined
      ? ''
      : html`
<p class="error" role="alert">${error}</p>`
  }
<p>${text}</p>${form === undefined ? '' : renderForm(form)}
</main>
</body>
</html>
`
}

function renderForm({ hidden, fields, button, more }: PageForm) {
  return html`
<form method="post">${Object.entries(hidden).map(
    ([name, value]) => html`
<input type="hidden" name="${name}" value="${value}">`,
  )}${fields.map(
    ({ name, label, hint, type, autocomplete }) => html`
<label for="${name}">${label}</label>
<input id="${name}" name="${name}" type="${type}" autocomplete="${autocomplete}"${
      hint === undefined ? '' : html` aria-describedby="${name}-hint"`
    } required>${hint === undefined ? '' : html`<small id="${name}-hint">${hint}</small>`}`,
  )}
<button type="submit">${button}</button>${
    more === undefined
      ? ''
      : html`
<button type="submit" class="more" name="${more.name}" value="1">${more.label}</button>`
  }
</form>`
}
