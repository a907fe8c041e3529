/** Keeps empty filters out of the list's URL. */

document.addEventListener("formdata", (event) => {
  if (!event.target.matches("[data-filters]")) return
  const { formData } = event
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name)
})
