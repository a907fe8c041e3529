/** Seals a text for an encrypted channel: data as the back ends of others send them. */

import nacl from "tweetnacl"

import { options, report } from "./reporting.js"

const nonce = nacl.randomBytes(nacl.secretbox.nonceLength)
const ciphertext = nacl.secretbox(Buffer.from(options.text), nonce, Buffer.from(options.key, "base64"))
report("encrypted", { data: JSON.stringify({ nonce: encoded(nonce), ciphertext: encoded(ciphertext) }) })

function encoded(bytes) {
  return Buffer.from(bytes).toString("base64")
}
