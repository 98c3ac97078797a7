import { html, raw } from 'hono/html'
import { allErrors } from '../refusals.ts'
import { stylePolicy } from '../style-policy.ts'
import { formatCurl, type Placed } from './curl.ts'
import { METHODS, type OpenApiDocument, type Operation } from './document.ts'
import { formatType, listMembers, resolve, type Schema } from './members.ts'
import { STYLE } from './style.ts'

/**
 * A page that shows the document, without scripts or external resources; its `policy` allows only
 * its own style.
 */
export async function openApiPage(document: OpenApiDocument): Promise<{ html: string; policy: string }> {
  const policy = await stylePolicy(STYLE, "'none'")
  return { html: String(await page(document)), policy }
}

type Html = ReturnType<typeof html>

function page(document: OpenApiDocument): Html {
  const { info, tags = [] } = document
  const groups = tags.map(({ name, description = '' }) => ({ name, description, placed: placedUnder(name, document) }))
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${info.title} API ${info.version}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the operations</a>
<header>
<h1>${info.title} API <small>${info.version}</small></h1>
<p>${prose(info.description ?? '')}</p>
<p>Base URL <code>${document.servers?.[0]?.url ?? ''}</code>. As data: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
</header>
<nav aria-label="Operations">${groups.map(
    ({ name, placed }) => html`
<h2>${name}</h2>
<ul>${placed.map(
      ({ method, path, operation }) => html`
<li><a href="#${operation.operationId ?? ''}">${badge(method)} <span>${breakable(path)}</span></a></li>`,
    )}</ul>`,
  )}
<h2>More</h2>
<ul><li><a href="#codes">All codes</a></li></ul>
</nav>
<main id="main" tabindex="-1">${groups.map(
    ({ name, description, placed }) => html`
<section>
<h2>${name}</h2>
<p>${prose(description)}</p>${placed.map((one) => article(one, document))}
</section>`,
  )}${codes()}
</main>
</body>
</html>
`
}

function placedUnder(tag: string, document: OpenApiDocument): Placed[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method]
      if (operation?.tags?.includes(tag) !== true) return []
      return { method: method.toUpperCase(), path, url: (item.servers ?? document.servers)?.[0]?.url + path, operation }
    }),
  )
}

function article(placed: Placed, document: OpenApiDocument): Html {
  const { method, path, operation } = placed
  const { operationId = '', summary = '', description, parameters = [], requestBody } = operation
  const [type, body] = firstContent(requestBody)
  return html`
<details class="operation">
<summary><h3 id="${operationId}-title">${badge(method)} <code>${breakable(path)}</code></h3> <span>${summary}</span></summary>
<article id="${operationId}" aria-labelledby="${operationId}-title">${description === undefined ? '' : html`\n<p>${prose(description)}</p>`}
<p class="needs">${needs(operation)}</p>${
    parameters.length === 0 ? '' : table('Parameters', 'parameter', parameters.map(parameterRow(document)))
  }${body === undefined ? '' : table(`Body, ${type}`, 'member', listMembers(body, document).map(row))}
<pre aria-label="Example" tabindex="0"><code>${formatCurl(placed, document)}</code></pre>${replies(operation, document)}
<p><a href="#${operationId}">Link to this operation</a></p>
</article>
</details>`
}

/** Who may call the operation. */
function needs({ security = [] }: Operation): string {
  const words: Readonly<Record<string, string>> = {
    bearer: 'an access token (Bearer)',
    cookie: 'the refresh cookie',
    basic: 'id and secret of an API client (Basic)',
  }
  const ways = security.flatMap((one) =>
    Object.entries(one).map(([name, roles]) =>
      [words[name] ?? name, ...roles.map((role) => `role ${role}`)].join(', '),
    ),
  )
  if (ways.length === 0) return 'No authentication.'
  const open = security.some((one) => Object.keys(one).length === 0)
  return `${open ? 'Accepts' : 'Requires'} ${ways.join(' or ')}${open ? ', or credentials in the body' : ''}.`
}

function replies({ responses = {} }: Operation, document: OpenApiDocument): Html {
  const all = Object.entries(responses)
  return html`${all.filter(([status]) => status < '4').map(([status, reply]) => success(status, reply, document))}
<details>
<summary>Refusals</summary>
<div class="scroll" tabindex="0" role="region" aria-label="Refusals"><table>
<thead><tr><th scope="col">status</th><th scope="col">code</th></tr></thead>
<tbody>${all
    .filter(([status]) => status >= '4')
    .map(([status, reply]) => {
      const links = listCodes(reply, document).map(
        (code, index) => html`${index > 0 ? ', ' : ''}<a href="#code-${code}"><code>${code}</code></a>`,
      )
      return html`<tr><th scope="row">${status}</th><td>${links.length > 0 ? links : prose(String(reply.description))}</td></tr>`
    })}</tbody>
</table></div>
</details>`
}

interface Reply {
  readonly description?: string
  readonly headers?: Readonly<Record<string, { description?: string }>>
}

function success(status: string, reply: Reply, document: OpenApiDocument): Html {
  const [type, schema] = firstContent(reply)
  const rows = schema === undefined ? [] : listMembers(schema, document).map(row)
  const title = `${status} ${reply.description ?? ''}${type === undefined ? '' : `, ${type}`}`
  return html`${rows.length === 0 ? html`\n<h4>${title}</h4>` : table(title, 'member', rows)}${headerNotes(reply)}`
}

/** The headers of a reply, except the request id, which every reply has. */
function headerNotes({ headers = {} }: Reply): Html[] {
  const { 'X-Request-Id': _, ...own } = headers
  return Object.entries(own).map(
    ([name, { description = '' }]) => html`\n<p class="header">Header <code>${name}</code>. ${description}</p>`,
  )
}

function listCodes(reply: object, document: OpenApiDocument): string[] {
  const [, schema] = firstContent(reply)
  const { code, error } = schema === undefined ? {} : (resolve(schema, document).properties ?? {})
  return (code?.enum ?? error?.enum ?? []) as string[]
}

function firstContent(holder: object | undefined): [type?: string, schema?: Schema] {
  const { content } = (holder ?? {}) as { content?: Record<string, { schema?: Schema }> }
  const [first] = Object.entries(content ?? {})
  return first === undefined ? [] : [first[0], first[1].schema ?? {}]
}

interface Row {
  readonly name: string
  readonly type: string
  readonly required: boolean
  readonly notes: readonly (string | Html)[]
}

function row({ name, type, required, schema }: { name: string; type: string; required: boolean; schema: Schema }): Row {
  const { description, default: preset, maxLength, minimum, maximum, example } = schema
  const notes = [
    ...(description === undefined ? [] : [html`${prose(description)}`]),
    ...(preset === undefined ? [] : [html`Default <code>${JSON.stringify(preset)}</code>.`]),
    ...(maxLength === undefined ? [] : [`At most ${maxLength} characters.`]),
    ...(minimum === undefined ? [] : [`At least ${minimum}.`]),
    ...(maximum === undefined || maximum > 1e9 ? [] : [`At most ${maximum}.`]),
    ...(example === undefined
      ? []
      : [html`Example: <code>${typeof example === 'string' ? example : JSON.stringify(example)}</code>`]),
  ]
  return { name, type, required, notes }
}

function parameterRow(document: OpenApiDocument) {
  return (parameter: object): Row => {
    const {
      name,
      in: place,
      required = false,
      schema = {},
    } = parameter as { name: string; in: string; required?: boolean; schema?: Schema }
    return row({ name, type: `${formatType(schema, document)}, in the ${place}`, required, schema })
  }
}

function table(title: string, first: string, rows: readonly Row[]): Html {
  return html`
<h4>${title}</h4>
<div class="scroll" tabindex="0" role="region" aria-label="${title}"><table>
<thead><tr><th scope="col">${first}</th><th scope="col">type</th><th scope="col">meaning</th></tr></thead>
<tbody>${rows.map(
    ({ name, type, required, notes }) => html`
<tr><th scope="row"><code>${name}</code>${required ? '' : html` <small>optional</small>`}</th><td>${type}</td><td>${notes.map((note) => html`${note} `)}</td></tr>`,
  )}</tbody>
</table></div>`
}

function codes(): Html {
  const byStatus = Object.entries(allErrors()).sort(([, [one]], [, [other]]) => one - other)
  return html`
<section>
<h2>All codes</h2>
<p>Switch on <code>code</code>. Only <code>token_expired</code> and <code>token_stale</code> are worth a refresh.</p>
<details class="operation">
<summary>${byStatus.length} codes</summary>
<div id="codes" class="scroll" tabindex="0" role="region" aria-label="All codes"><table>
<thead><tr><th scope="col">code</th><th scope="col">status</th><th scope="col">title</th></tr></thead>
<tbody>${byStatus.map(
    ([code, [status, title]]) => html`
<tr id="code-${code}"><th scope="row"><code>${code}</code></th><td>${status}</td><td>${title}</td></tr>`,
  )}</tbody>
</table></div>
</details>
</section>`
}

function badge(method: string): Html {
  return html`<b class="${method.toLowerCase()}">${method}</b>`
}

/** Text with `code` in backticks. */
function prose(text: string): (string | Html)[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))
}

/** A path that can wrap before each slash. */
function breakable(path: string): Html[] {
  return path.split(/(?=[/-])/).map((part) => html`<wbr>${part}`)
}
