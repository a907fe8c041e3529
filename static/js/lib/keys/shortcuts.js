/** Finds the shortcut of a key press, by the character that it types: layouts place them differently. */

export const SEQUENCE_MS = 1_500

const TYPING =
  "input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=file]), textarea, select, [contenteditable], dialog[open]"

export class Shortcuts {
  #byKeys
  #usesSingleKeys
  #now
  /** The first key of a sequence such as "g m", and when it was pressed. */
  #first = ""
  #pressedAt = Number.NEGATIVE_INFINITY

  /**
   * @param {{keys: string}[]} shortcuts "r", "g m", "Shift+J", "Mod+K" (Ctrl, or Cmd on a Mac) or "" for none
   * @param {object} options
   * @param {boolean} options.usesSingleKeys whether keys without Ctrl or Cmd count (WCAG 2.1.4)
   * @param {() => number} [options.now] milliseconds
   */
  constructor(shortcuts, { usesSingleKeys, now = () => performance.now() }) {
    this.#byKeys = new Map(shortcuts.filter(({ keys }) => keys).map((shortcut) => [shortcut.keys, shortcut]))
    this.#usesSingleKeys = usesSingleKeys
    this.#now = now
  }

  /**
   * Returns the shortcut that the key press completes.
   *
   * @param {KeyboardEvent} event
   */
  match(event) {
    if (event.defaultPrevented || event.isComposing) return null
    const name = nameOf(event)
    if (name.startsWith("Mod+")) return this.#byKeys.get(name) ?? null
    if (!name || !this.#usesSingleKeys || event.target.closest?.(TYPING)) {
      this.#first = ""
      return null
    }
    const isSequence = this.#first && this.#now() - this.#pressedAt < SEQUENCE_MS
    const found = this.#byKeys.get(isSequence ? `${this.#first} ${name}` : name)
    this.#first = !isSequence && this.#begins(name) ? name : ""
    this.#pressedAt = this.#now()
    return found ?? null
  }

  #begins(name) {
    return [...this.#byKeys.keys()].some((keys) => keys.startsWith(`${name} `))
  }
}

/** Returns the key with its modifiers, or "" for one that is not a shortcut, such as Alt+R. */
function nameOf(event) {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event
  if (!key || key.length > 1) return ""
  const isLetter = key.toLowerCase() !== key.toUpperCase()
  if (isLetter && (ctrlKey || metaKey)) return altKey || shiftKey ? "" : `Mod+${key.toUpperCase()}`
  // AltGr types characters, such as # on some layouts; browsers report it as Ctrl and Alt.
  const isAltGr = !isLetter && (event.getModifierState?.("AltGraph") ?? false)
  if ((ctrlKey || metaKey || altKey) && !isAltGr) return ""
  if (!isLetter) return key
  return shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase()
}
