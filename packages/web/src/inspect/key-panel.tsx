import { useState } from 'preact/hooks'
import { Tabs } from '../components/tabs.tsx'
import { nameOf } from '../token/keys.ts'
import { fetchServerKeys, KEY_SOURCES, type KeyEntry, readEvidence } from './evidence.ts'

interface KeyProps {
  readonly entry: KeyEntry
  /** Changes some of it. */
  readonly onEntry: (change: Partial<KeyEntry>) => void
}

/** Where the reader says what to check the signature with. */
export function KeyPanel({ entry, onEntry }: KeyProps) {
  const evidence = readEvidence(entry)
  return (
    <section class="card" aria-labelledby="key">
      <h2 id="key">Check the signature</h2>
      <Tabs
        label="The key"
        chosen={KEY_SOURCES.indexOf(entry.source)}
        onChoose={(index) => onEntry({ source: KEY_SOURCES[index] ?? 'server' })}
        tabs={[
          { name: 'This server', content: <ServerKeys entry={entry} onEntry={onEntry} /> },
          { name: 'Public key', content: <PublicKey entry={entry} onEntry={onEntry} /> },
          { name: 'Secret', content: <Secret entry={entry} onEntry={onEntry} /> },
        ]}
      />
      <div role="status">
        {evidence !== undefined && 'fault' in evidence && <p class="status bad">{evidence.fault}</p>}
        {evidence !== undefined && 'warning' in evidence && <p>{evidence.warning}</p>}
      </div>
    </section>
  )
}

function ServerKeys({ entry, onEntry }: KeyProps) {
  const [isFetching, setIsFetching] = useState(false)
  const fetchKeys = async () => {
    setIsFetching(true)
    onEntry({ fetched: await fetchServerKeys() })
    setIsFetching(false)
  }
  const { fetched } = entry
  return (
    <>
      <p>
        The button requests <code>/.well-known/jwks.json</code> from this server. It is the only request of this page,
        and the token is not sent with it.
      </p>
      <div class="row">
        <button type="button" onClick={fetchKeys} disabled={isFetching}>
          {fetched === undefined ? 'Fetch the keys' : 'Fetch the keys again'}
        </button>
      </div>
      {fetched !== undefined && 'keys' in fetched && (
        <p class="hint">
          {fetched.keys.length === 1 ? 'One key' : `${fetched.keys.length} keys`}: {fetched.keys.map(nameOf).join(', ')}
        </p>
      )}
    </>
  )
}

function PublicKey({ entry, onEntry }: KeyProps) {
  return (
    <div class="field">
      <label for="public-key">Public key (PEM or JWK) or JWK Set</label>
      <textarea
        id="public-key"
        class="json"
        value={entry.publicKey}
        rows={6}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        onInput={(event) => onEntry({ publicKey: event.currentTarget.value })}
      />
    </div>
  )
}

const ENCODINGS = { text: 'text', base64: 'base64 or base64url', hex: 'hexadecimal' } as const

function Secret({ entry, onEntry }: KeyProps) {
  return (
    <>
      <div class="field">
        <label for="secret">Secret</label>
        <input
          id="secret"
          class="mono"
          value={entry.secret}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          onInput={(event) => onEntry({ secret: event.currentTarget.value })}
        />
      </div>
      <div class="field">
        <label for="encoding">The secret is written as</label>
        <select
          id="encoding"
          value={entry.encoding}
          onChange={(event) => onEntry({ encoding: event.currentTarget.value as KeyEntry['encoding'] })}
        >
          {Object.entries(ENCODINGS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </div>
    </>
  )
}
