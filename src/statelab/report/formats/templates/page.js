(() => {
  const all = (selector) => document.querySelectorAll(selector);
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    const why = target.nextElementSibling;
    if (why && why.className === "why") why.querySelector("details").open = true;
    target.scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();

  if (innerWidth < 640) all(".signs").forEach((signs) => { signs.open = false; });
  all(".tools").forEach((tools) => { tools.hidden = false; });
  document.getElementById("filter").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/[\s,]+/).filter(Boolean);
    all("[data-name]").forEach((e) => {
      e.hidden = words.length > 0 && !words.some((word) => e.dataset.name.toLowerCase().includes(word));
    });
  });

  const tally = document.querySelector(".tally");
  const point = (item) => {
    const state = item.classList.contains("chosen") ? "" : item.dataset.state;
    all(".tally div").forEach((e) => {
      e.classList.toggle("chosen", e.dataset.state === state);
      e.setAttribute("aria-pressed", String(e.dataset.state === state));
    });
    all(".matrix tbody td").forEach((td) => td.classList.toggle("dimmed", state !== "" && !td.classList.contains(state)));
  };
  tally.querySelectorAll("div").forEach((item) => {
    item.tabIndex = 0;
    item.setAttribute("role", "button");
    item.addEventListener("click", () => point(item));
    item.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); point(item); }
    });
  });
})();
