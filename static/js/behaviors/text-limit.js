/** Says that a text is too long while it is written: fields with data-max-length and data-too-long. Nothing is cut. */

document.addEventListener("input", (event) => {
  if (event.target.matches?.("[data-max-length]")) checkLength(event.target)
})

// A draft that was restored
for (const field of document.querySelectorAll("[data-max-length]")) checkLength(field)

function checkLength(field) {
  const length = lengthOf(field.value, Number(field.dataset.maxLength))
  const isTooLong = length > Number(field.dataset.maxLength)
  if (!isTooLong && !field.hasAttribute("data-is-too-long")) return
  field.toggleAttribute("data-is-too-long", isTooLong)
  field.setAttribute("aria-invalid", String(isTooLong))
  const place = errorPlace(field)
  const language = document.documentElement.lang || undefined
  place.textContent = isTooLong
    ? field.dataset.tooLong.replace("{length}", length.toLocaleString(language))
    : ""
  place.hidden = !isTooLong
}

/** Counts as the server does: characters, not UTF-16 code units; without the white space that it removes. */
function lengthOf(text, limit) {
  return text.length > limit ? [...text.trimEnd()].length : 0
}

function errorPlace(field) {
  const id = `${field.id}_error`
  const own = field.form?.querySelector(`[data-error-for="${field.name}"]`) ?? document.getElementById(id)
  if (own) return own
  const place = document.createElement("p")
  place.id = id
  place.className = "field-error"
  place.setAttribute("role", "alert")
  field.setAttribute(
    "aria-describedby",
    [field.getAttribute("aria-describedby"), id].filter(Boolean).join(" "),
  )
  field.after(place)
  return place
}
