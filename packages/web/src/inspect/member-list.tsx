import { browserAlgorithm } from '../token/algorithms.ts'
import type { JsonObject } from '../token/decode.ts'
import { type MemberMeaning, sourceOf } from '../token/members.ts'
import { isInMilliseconds, showDate } from '../token/times.ts'

/** Longer values are only in the JSON. */
const LONGEST = 120
/** More members are only in the JSON. */
const MOST = 200

/** Explains the members of a header or a payload. */
export function MemberList({
  value,
  meaningOf,
  now,
}: {
  value: JsonObject
  meaningOf: (name: string) => MemberMeaning
  now: number
}) {
  return (
    <dl class="members">
      {Object.entries(value)
        .slice(0, MOST)
        .map(([name, member]) => (
          <Member key={name} name={name} value={member} meaning={meaningOf(name)} now={now} />
        ))}
    </dl>
  )
}

function Member({ name, value, meaning, now }: { name: string; value: unknown; meaning: MemberMeaning; now: number }) {
  const { title, isDate } = meaning
  const source = sourceOf(meaning)
  const date = isDate ? showDate(value, now) : undefined
  const json = JSON.stringify(value)
  const algorithm = name === 'alg' ? browserAlgorithm(value) : undefined
  return (
    <div>
      <dt>
        <code>{name}</code> {title}
      </dt>
      {json.length <= LONGEST && <dd class="mono value">{json}</dd>}
      {date !== undefined && (
        <dd>
          <strong>{date.relative}</strong>
          {isInMilliseconds(value) && ' (read as milliseconds)'}: {date.local}
          <br />
          <span class="mono">{date.utc}</span>
        </dd>
      )}
      <dd>
        {algorithm !== undefined && `${algorithm.title}. `}
        {meaning.meaning}{' '}
        <a href={source.url} target="_blank" rel="noreferrer">
          {source.name}
          <span class="visually-hidden"> (opens a new tab)</span>
        </a>
      </dd>
    </div>
  )
}
