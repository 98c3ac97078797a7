import { generateKeyPair } from 'jose'

const pair = await generateKeyPair('ES256', { extractable: true })
/** The private key of the old app. */
export const privateKey = pair.privateKey
