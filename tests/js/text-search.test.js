import assert from "node:assert/strict"
import { test } from "node:test"
import { search } from "../../static/js/lib/text-search.js"

const things = [
  { name: "Refund", text: "We have refunded your money." },
  { name: "Où êtes-vous", text: "Please send us your address." },
  { name: "Address", text: "Thank you." },
]
const names = (words) => search(words, things).map(({ name }) => name)

test("each word must be found, in any case, in the name or the text", () => {
  assert.deepEqual(names("MONEY refund"), ["Refund"])
  assert.deepEqual(names("money address"), [])
})

test("accents do not matter", () => {
  assert.deepEqual(names("ou etes"), ["Où êtes-vous"])
})

test("hits in the name come first", () => {
  assert.deepEqual(names("addr"), ["Address", "Où êtes-vous"])
})

test("without words all are found in their order", () => {
  assert.deepEqual(names("  "), ["Refund", "Où êtes-vous", "Address"])
})
