/** Mentions in the text of a note: "@" and a name. */

// "@" at the start or after a space, then up to three words.
const QUERY = /(?:^|\s)@([\p{L}\p{N}.'’-]*(?: [\p{L}\p{N}.'’-]+){0,2})$/u

/** Returns what is typed of a name before the cursor, or null. */
export function queryAt(text, position) {
  return QUERY.exec(text.slice(0, position))?.[1] ?? null
}

/**
 * Returns the keys of the people that a text mentions. Of several with one name those are meant that were chosen; without a
 * choice, as in a draft that was loaded, all of them.
 */
export function mentionedIn(text, people, chosen) {
  const named = people.filter(({ name }) => text.includes(`@${name}`))
  const isChosen = (person) => chosen.has(person.id)
  const hasChoice = ({ name }) => named.some((other) => other.name === name && isChosen(other))
  return named.filter((person) => isChosen(person) || !hasChoice(person)).map(({ id }) => id)
}
