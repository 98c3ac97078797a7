import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstSextets, spellHex, toOctets } from '../src/learn/steps/base64url-stages.ts'

test('decoding by hand: four characters become the three bytes that Buffer decodes', () => {
  for (const text of ['eyJh', 'AAAA', '____', '-9Zz']) {
    const octets = toOctets(firstSextets(`${text}rest`)).map(({ value }) => value)
    assert.deepEqual(octets, [...Buffer.from(text, 'base64url')], text)
  }
})

test('decoding by hand: a character has its number and six bits', () => {
  assert.deepEqual(
    firstSextets('A-_z').map(({ value, bits }) => [value, bits]),
    [
      [0, '000000'],
      [62, '111110'],
      [63, '111111'],
      [51, '110011'],
    ],
  )
})

test('decoding by hand: only visible ASCII is shown as a character', () => {
  const characters = toOctets(firstSextets(Buffer.from([0x20, 0x41, 0x7f]).toString('base64url')))
  assert.deepEqual(
    characters.map(({ character }) => character),
    [undefined, 'A', undefined],
  )
})

test('bytes in hexadecimal have two digits each', () => {
  assert.equal(spellHex(Uint8Array.of(0, 10, 255)), '00 0a ff')
})
