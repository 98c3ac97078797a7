import { generateKeyPairSync, sign as signOneShot } from 'node:crypto'

/** A self-signed P-256 certificate. node:crypto cannot create one. */
export function certificate(): string {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = (tag: number, ...parts: Uint8Array[]) => {
    const body = Buffer.concat(parts)
    const length =
      body.length < 128
        ? [body.length]
        : body.length < 256
          ? [0x81, body.length]
          : [0x82, body.length >> 8, body.length & 255]
    return Buffer.concat([Buffer.of(tag, ...length), body])
  }
  const ecdsaSha256 = der(0x30, Buffer.from('06082a8648ce3d040302', 'hex'))
  const name = der(0x30, der(0x31, der(0x30, Buffer.from('0603550403', 'hex'), der(0x0c, Buffer.from('test')))))
  const dates = der(0x30, der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from('210101000000Z')))
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  const body = der(0x30, der(0xa0, der(2, Buffer.of(2))), der(2, Buffer.of(1)), ecdsaSha256, name, dates, name, spki)
  const signature = signOneShot('sha256', body, privateKey)
  const whole = der(0x30, body, ecdsaSha256, der(3, Buffer.of(0), signature))
  return `-----BEGIN CERTIFICATE-----\n${whole.toString('base64')}\n-----END CERTIFICATE-----\n`
}
