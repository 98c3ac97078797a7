import { Code } from '../../components/code.tsx'
import { PARTS } from '../../components/token-view.tsx'
import { decodeToken } from '../../token/decode.ts'
import { firstSextets, type Octet, type Sextet, spellHex, toOctets } from './base64url-stages.ts'

/** How far the reader has decoded, and the button that goes on. The last one has no button. */
export const STAGES = ['Look up the first four characters', 'Cut the bits into bytes', 'Decode the whole part'] as const

/** One part of a token, decoded as far as the reader has come. */
export function Decoding({ token, part, stage }: { token: string; part: number; stage: number }) {
  const encoded = token.split('.')[part] ?? ''
  const sextets = firstSextets(encoded)
  return (
    <div aria-live="polite">
      {stage >= 1 && (
        <p>
          Base64url writes bytes with 64 characters: <code>A</code> to <code>Z</code> are 0 to 25, <code>a</code> to{' '}
          <code>z</code> are 26 to 51, <code>0</code> to <code>9</code> are 52 to 61, <code>-</code> is 62 and{' '}
          <code>_</code> is 63. Each character stands for six bits.
        </p>
      )}
      <div class="stages-row">
        {stage >= 1 && <Sextets sextets={sextets} />}
        {stage >= 2 && <Octets octets={toOctets(sextets)} />}
      </div>
      {stage >= 3 && <Whole token={token} part={part} />}
    </div>
  )
}

function Sextets({ sextets }: { sextets: readonly Sextet[] }) {
  return (
    <Rows
      caption="The first four characters"
      columns={['Character', 'Number', 'Six bits']}
      rows={sextets.map(({ character, value, bits }) => [character, value, bits])}
    />
  )
}

function Octets({ octets }: { octets: readonly Octet[] }) {
  return (
    <Rows
      caption="The same 24 bits as three bytes"
      columns={['Eight bits', 'Number', 'Character']}
      rows={octets.map(({ bits, value, character }) => [bits, value, character ?? 'none'])}
    />
  )
}

function Rows({
  caption,
  columns,
  rows,
}: {
  caption: string
  columns: readonly string[]
  rows: readonly (readonly (string | number)[])[]
}) {
  return (
    <table class="stages unfold">
      <caption>{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((cells, row) => (
          <tr key={row}>
            {cells.map((cell, column) => (
              <td key={column} class="mono">
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const MEANINGS = [
  'The header says how the token is signed: alg is the algorithm, and kid names the key.',
  'The payload has the claims: who the user is (sub), who issued the token (iss) and for whom (aud), and until when it is valid (exp).',
  'The signature is not text. It was computed from the first two parts with the private key of the server.',
] as const

function Whole({ token, part }: { token: string; part: number }) {
  const { header, payload, signature } = decodeToken(token)
  const value = [header, payload][part]?.value
  const octets = signature ?? new Uint8Array()
  return (
    <>
      <p>{MEANINGS[part]}</p>
      {value === undefined ? (
        <Code label={`the signature, ${octets.length} bytes`} text={`${octets.length} bytes:\n${spellHex(octets)}`} />
      ) : (
        <Code label={`the decoded ${PARTS[part]}`} text={JSON.stringify(value, undefined, 2)} />
      )}
    </>
  )
}
