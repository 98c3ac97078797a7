/** Who sent a refresh token. */
interface Sender {
  readonly ip: string | null
  readonly user_agent: string | null
}

/** A row of the audit log of the lesson's servers. */
export interface AuditRow {
  readonly time: string
  readonly type: string
  readonly data: { readonly presented_by?: Sender; readonly rotated_by?: Sender }
}

const MEANING: Readonly<Record<string, string>> = {
  'session.created': 'Ada logged in.',
  'session.replay_detected': 'A refresh token came that was used already. The session was ended.',
}

/** The rows in words, newest first. */
export function AuditLog({ rows }: { rows: readonly AuditRow[] }) {
  return (
    <table class="audit">
      <caption>What the server noted about this session</caption>
      <thead>
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Event</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ time, type, data: { presented_by, rotated_by } }) => (
          <tr key={`${time} ${type}`}>
            <td>
              <time dateTime={time}>{new Date(time).toLocaleTimeString('en-GB')}</time>
            </td>
            <td>
              <code>{type}</code>
              <br />
              {MEANING[type]}
              {presented_by && (
                <>
                  <br />
                  Sent by: {describe(presented_by)}
                </>
              )}
              {rotated_by && (
                <>
                  <br />
                  Used before by: {describe(rotated_by)}
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function describe({ ip, user_agent }: Sender): string {
  return [ip ?? 'unknown address', user_agent ?? 'unknown program'].join(', ')
}
