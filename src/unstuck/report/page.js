"use strict";
(() => {
  const all = document.querySelectorAll("details");
  const openTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target) target.querySelector("details")?.setAttribute("open", "");
  };
  const button = (text, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", () => act(made));
    return made;
  };
  const copy = (text, said) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");  // the clipboard interface is refused on pages opened from a file
    area.remove();
    said.textContent = done ? "copied" : "not copied";
  };
  for (const block of document.querySelectorAll("pre[data-copy]"))
    block.before(button("copy the new lines", (said) => copy(block.dataset.copy, said)));
  const tools = document.createElement("p");
  tools.className = "tools";
  tools.append(
    button("open all", () => all.forEach((d) => d.setAttribute("open", ""))),
    button("copy as JSON", (said) => copy(document.getElementById("report").textContent, said)),
  );
  document.querySelector("header").append(tools);
  const asked = document.getElementById("asked");
  const filter = document.createElement("input");
  filter.type = "search";
  filter.placeholder = "find a rule";
  filter.setAttribute("aria-label", "find a rule");
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const list of asked.querySelectorAll("details")) {
      const rows = [...list.querySelectorAll("tbody tr")];
      for (const row of rows) row.hidden = !row.textContent.toLowerCase().includes(wanted);
      list.hidden = rows.every((row) => row.hidden);
      list.open = wanted !== "" && !list.hidden;
    }
  });
  asked.querySelector("h2").after(filter);
  addEventListener("hashchange", openTarget);
  addEventListener("beforeprint", () => all.forEach((d) => d.setAttribute("open", "")));
  openTarget();
})();
