import { asCurl, asTypeScript, type Exchanged } from '../http.ts'
import { Code } from './code.tsx'
import { Tabs } from './tabs.tsx'

/** A request and its reply side by side; the request also as curl and as TypeScript. */
export function Exchange({ exchange: { sent, received } }: { exchange: Exchanged }) {
  const request = [
    `${sent.method} ${sent.path}`,
    ...(sent.body === undefined ? [] : ['Content-Type: application/json']),
    ...Object.entries(sent.headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    ...(sent.body === undefined ? [] : ['', JSON.stringify(sent.body, undefined, 2)]),
  ].join('\n')
  const tabs = [
    { name: 'Request', content: <Code text={request} label="the request" /> },
    { name: 'curl', content: <Code text={asCurl(sent)} label="the curl command" /> },
    { name: 'TypeScript', content: <Code text={asTypeScript(sent)} label="the TypeScript" /> },
  ]
  return (
    <div class="split exchange unfold">
      <Tabs label="The request" tabs={tabs} />
      <div aria-live="polite">
        {received === undefined ? (
          <p class="status bad">No reply arrived.</p>
        ) : (
          <>
            <p class={`status ${received.status < 400 ? 'good' : 'bad'}`}>
              {received.status} {STATUS[received.status] ?? ''}
            </p>
            <Code
              text={[
                ...Object.entries(received.headers).map(([name, value]) => `${name}: ${value}`),
                '',
                received.body === undefined ? '' : JSON.stringify(received.body, undefined, 2),
              ].join('\n')}
              label="the reply"
            />
          </>
        )}
      </div>
    </div>
  )
}

const STATUS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
}
