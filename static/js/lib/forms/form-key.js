/** Keys by which the server knows a form that was sent twice. */

/** Sets a new idempotency key: only a retry repeats the old one. */
export function refreshKey(form) {
  if (form.elements.key) form.elements.key.value = newKey()
}

/** A random UUID (RFC 9562, version 4); crypto.randomUUID is missing on pages without TLS. */
function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")
}
