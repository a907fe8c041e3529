/** Search in a short list by parts of words, in any case and without accents. */

/**
 * Returns the things of which each word is found in name or text; those that have them in the name come first.
 *
 * @param {string} words
 * @param {{name: string, text: string}[]} things
 */
export function search(words, things) {
  const parts = fold(words).split(/\s+/).filter(Boolean)
  const inName = ({ name }) => hasAll(fold(name), parts)
  const found = things.filter((thing) => hasAll(fold(`${thing.name} ${thing.text}`), parts))
  return [...found.filter(inName), ...found.filter((thing) => !inName(thing))]
}

const hasAll = (text, parts) => parts.every((part) => text.includes(part))

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
