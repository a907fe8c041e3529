import assert from "node:assert/strict"
import test from "node:test"

import { KeyboardInset } from "../../static/js/lib/forms/keyboard-inset.js"

function phone() {
  const style = {}
  const page = { clientHeight: 800, style: { setProperty: (name, value) => (style[name] = value) } }
  const viewport = Object.assign(new EventTarget(), { scale: 1, offsetTop: 0, height: 800 })
  const changes = []
  new KeyboardInset({ page, viewport }).watch((growth) => changes.push(growth))
  const become = (values, event = "resize") => {
    Object.assign(viewport, values)
    viewport.dispatchEvent(new Event(event))
  }
  return { style, changes, become }
}

test("what the keyboard covers is known to the stylesheet, until it closes", () => {
  const { style, changes, become } = phone()
  become({ height: 500 })
  assert.equal(style["--keyboard-size"], "300px")
  become({ offsetTop: 120 }, "scroll")
  assert.equal(style["--keyboard-size"], "180px")
  become({ height: 800, offsetTop: 0 })
  assert.equal(style["--keyboard-size"], "0px")
  assert.deepEqual(changes, [300, -120, -180])
})

test("bars of the browser and zooming are no keyboard", () => {
  const { changes, become } = phone()
  become({ height: 744 })
  become({ height: 400, scale: 2 })
  assert.deepEqual(changes, [])
})

test("a browser without a visual viewport has none", () => {
  new KeyboardInset({ page: {}, viewport: undefined }).watch(assert.fail)
})
