(() => {
  const filter = document.getElementById("filter");
  filter.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    for (const item of document.querySelectorAll("[data-words]")) {
      item.hidden = wanted !== "" && !item.dataset.words.includes(wanted);
    }
    for (const group of document.querySelectorAll("[data-group]")) {
      group.hidden = !group.querySelector("[data-words]:not([hidden])");
    }
  });
  const encode = (text, rest) => rest ? text.split("/").map(encodeURIComponent).join("/") : encodeURIComponent(text);
  for (const form of document.querySelectorAll("form[data-path]")) {
    const output = form.nextElementSibling;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      let path = form.dataset.path;
      const query = new URLSearchParams(), headers = {};
      for (const field of form.querySelectorAll("[data-in]")) {
        const { in: place, name, rest } = field.dataset;
        if (place === "path") path = path.replace(`{${name}}`, encode(field.value, rest !== undefined));
        else if (field.value === "") continue;
        else if (place === "query") query.append(name, field.value);
        else if (place === "header") headers[name] = field.value;
        else if (place === "token") headers.Authorization = "Bearer " + field.value;
        else if (place === "password") headers.Authorization = "Basic " + btoa(unescape(encodeURIComponent(field.value)));
      }
      const method = form.elements.method.value, options = { method, headers, redirect: "manual", cache: "no-store" };
      const body = form.elements.body;
      if (body && body.value !== "" && method !== "GET" && method !== "HEAD") {
        options.body = body.value;
        if (form.elements.type.value) headers["Content-Type"] = form.elements.type.value;
      }
      const text = query.toString();
      const url = path + (text ? "?" + text : "");
      output.hidden = false;
      output.textContent = `${method} ${url}\n…`;
      const begun = performance.now();
      try {
        const answer = await fetch(url, options);
        const time = Math.round(performance.now() - begun);
        if (answer.type === "opaqueredirect") {
          output.textContent = `${method} ${url}\n\nThe answer leads elsewhere (${time} ms); browsers do not tell a page where to.`;
          return;
        }
        const lines = [...answer.headers].map(([name, value]) => `${name}: ${value}`).join("\n");
        let shown = await answer.text();
        if (/json/.test(answer.headers.get("content-type") || "")) {
          try { shown = JSON.stringify(JSON.parse(shown), null, 2); } catch { /* it is shown as it came */ }
        }
        if (shown.length > 20000) shown = shown.slice(0, 20000) + "\n… cut";
        output.textContent = `${method} ${url}\n\n${answer.status} ${answer.statusText} (${time} ms)\n${lines}\n\n${shown}`;
      } catch (error) {
        output.textContent = `${method} ${url}\n\nNo answer: ${error.message}`;
      }
    });
  }
})();
