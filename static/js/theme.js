/** Sets the theme before the first paint; follows the user's choice, else the system. */
;(() => {
  const NEXT = { auto: "light", light: "dark", dark: "auto" }
  const root = document.documentElement
  const system = matchMedia("(prefers-color-scheme: dark)")
  let choice = stored()

  /** Without access to storage the choice lasts as long as the page. */
  function stored() {
    try {
      const theme = localStorage.getItem("theme")
      return theme in NEXT ? theme : "auto"
    } catch {
      return "auto"
    }
  }

  function store() {
    try {
      localStorage.setItem("theme", choice)
    } catch {}
  }

  function apply() {
    root.dataset.theme = choice
    root.dataset.bsTheme = choice === "auto" ? (system.matches ? "dark" : "light") : choice
  }

  system.addEventListener("change", apply)
  addEventListener("storage", ({ key }) => {
    if (key !== null && key !== "theme") return
    choice = stored()
    apply()
  })
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-theme-toggle]")) return
    choice = NEXT[choice]
    store()
    apply()
  })
  apply()
})()
