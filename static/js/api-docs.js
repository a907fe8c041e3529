/** Shows the API's document; what is tried out is sent as the person who is signed in, or with their token. */

const place = document.getElementById("docs")

/** Django's own proof that a request comes from a page of ours. */
function csrfToken() {
  return /(?:^|; )csrftoken=(\w+)/.exec(document.cookie)?.[1] ?? ""
}

globalThis.SwaggerUIBundle({
  domNode: place,
  url: place.dataset.document,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
  requestInterceptor(request) {
    if (request.method !== "GET") request.headers["X-CSRFToken"] = csrfToken()
    return request
  },
})

/** Swagger UI has a dark side of its own. */
function followTheme() {
  const root = document.documentElement
  root.classList.toggle("dark-mode", root.dataset.bsTheme === "dark")
}

new MutationObserver(followTheme).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] })
followTheme()
