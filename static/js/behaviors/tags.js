/** Offers the names of all tags in text fields, and shows changed tags on open pages. */

import { fill } from "../lib/template.js"
import { live } from "../live/index.js"

document.addEventListener("focusin", ({ target }) => {
  if (target.matches("input[list=tag-options]")) offerNames(target.list)
})

live.stream.on("tag.changed", ({ tag, replacement }) => {
  for (const shown of document.querySelectorAll(`.tag[data-tag="${tag.id}"]`)) replace(shown, replacement)
})

/** Fetches the names once for a page: what is typed is found without them. */
async function offerNames(options) {
  if (options.dataset.fetched) return
  options.dataset.fetched = ""
  try {
    const response = await fetch("/tickets/tags/", { headers: { Accept: "application/json" } })
    const { tags } = await response.json()
    options.replaceChildren(...tags.map((name) => new Option("", name)))
  } catch {
    delete options.dataset.fetched
  }
}

/** Shows another name or colour, or the tag that replaces this one unless it is there already. */
function replace(shown, replacement) {
  const item = shown.closest("li") ?? shown
  const others = [...item.parentElement.querySelectorAll(".tag")].filter((tag) => tag !== shown)
  if (!replacement || others.some((tag) => tag.dataset.tag === String(replacement.id))) item.remove()
  else fill(item, replacement)
}
