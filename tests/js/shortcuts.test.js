import assert from "node:assert/strict"
import { test } from "node:test"
import { SEQUENCE_MS, Shortcuts } from "../../static/js/lib/keys/shortcuts.js"

const TABLE = ["r", "#", "?", "g m", "m", "Shift+J", "j", "Mod+K", ""].map((keys) => ({ keys }))

function desk(options = {}) {
  const clock = { now: 0 }
  const shortcuts = new Shortcuts(TABLE, { usesSingleKeys: true, now: () => clock.now, ...options })
  const press = (key, { in: field = false, ...event } = {}) =>
    shortcuts.match({ key, target: { closest: () => (field ? {} : null) }, ...event })?.keys
  return { press, clock }
}

test("a key is known by the character that it types", () => {
  const { press } = desk()
  assert.equal(press("r"), "r")
  assert.equal(press("R"), "r") // caps lock
  assert.equal(press("?", { shiftKey: true }), "?")
  const altGr = { ctrlKey: true, altKey: true, getModifierState: (name) => name === "AltGraph" }
  assert.equal(press("#", altGr), "#")
})

test("a letter with Shift is another shortcut", () => {
  const { press } = desk()
  assert.equal(press("J", { shiftKey: true }), "Shift+J")
  assert.equal(press("j"), "j")
  assert.equal(press("R", { shiftKey: true }), undefined)
})

test("keys of the browser and of input methods are left alone", () => {
  const { press } = desk()
  for (const event of [{ ctrlKey: true }, { metaKey: true }, { altKey: true }, { isComposing: true }])
    assert.equal(press("r", event), undefined)
  assert.equal(press("r", { defaultPrevented: true }), undefined)
  assert.equal(press("Enter"), undefined)
})

test("single keys do nothing in a field, keys with Ctrl or Cmd do", () => {
  const { press } = desk()
  assert.equal(press("r", { in: true }), undefined)
  assert.equal(press("k", { in: true, ctrlKey: true }), "Mod+K")
  assert.equal(press("k", { in: true, metaKey: true }), "Mod+K")
})

test("single keys can be turned off, keys with Ctrl or Cmd stay", () => {
  const { press } = desk({ usesSingleKeys: false })
  assert.equal(press("r"), undefined)
  assert.equal(press("k", { ctrlKey: true }), "Mod+K")
})

test("a sequence is two keys shortly after one another", () => {
  const { press, clock } = desk()
  assert.equal(press("g"), undefined)
  assert.equal(press("m"), "g m")
  press("g")
  clock.now += SEQUENCE_MS
  assert.equal(press("m"), "m")
  press("g")
  assert.equal(press("r"), undefined) // no such sequence
  assert.equal(press("r"), "r")
})

test("typing in a field ends a sequence", () => {
  const { press } = desk()
  press("g")
  press("x", { in: true })
  assert.equal(press("m"), "m")
})
