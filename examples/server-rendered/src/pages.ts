/** A text that is HTML already. */
class Html {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

type Value = string | number | Html | readonly Html[] | undefined

/** Makes HTML of a template. Values are escaped, so no user can write HTML into a page. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  return new Html(strings.map((text, i) => text + escaped(values[i])).join(''))
}

function escaped(value: Value): string {
  if (value === undefined) return ''
  if (value instanceof Html) return value.text
  if (typeof value === 'object') return value.map(({ text }) => text).join('')
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

export function page(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<h1>${title}</h1>
${body}
</html>
`.text
}

export const logInForm = (email = '', problem?: string) =>
  page(
    'Log in',
    html`${problem === undefined ? undefined : html`<p role="alert">${problem}</p>`}
<form method="post" action="/log-in">
  <p><label>E-mail <input name="email" type="email" autocomplete="username" required value="${email}"></label></p>
  <p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
  <button type="submit">Log in</button>
</form>`,
  )

export const notesPage = (userId: string, notes: readonly string[]) =>
  page(
    'Notes',
    html`<p>Logged in: ${userId}. <a href="/reports">Reports</a></p>
<ul>${notes.map((note) => html`<li>${note}</li>`)}</ul>
<form method="post" action="/notes">
  <label>New note <input name="note" required maxlength="200"></label>
  <button type="submit">Add</button>
</form>
<form method="post" action="/log-out"><button type="submit">Log out</button></form>`,
  )
