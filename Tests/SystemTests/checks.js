// What axe looks for and this page could get wrong. Gives a list of sentences, empty if all is well.
(() => {
  const wrong = [];
  const name = (element) => {
    const by = element.getAttribute("aria-labelledby");
    if (by) return by.split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join(" ").trim();
    return (element.getAttribute("aria-label") ?? element.textContent).trim();
  };
  const told = (element) => `${element.tagName}.${element.className.baseVal ?? element.className} "${(element.textContent ?? "").trim().slice(0, 40)}"`;

  // Names and structure.
  if (!document.documentElement.lang) wrong.push("the page has no language");
  if (!document.title.trim()) wrong.push("the page has no title");
  for (const kind of ["main", "h1", "header"])
    if (document.querySelectorAll(kind).length !== 1) wrong.push(`there is not one ${kind}`);
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`the id ${id} is there twice`);
  for (const attribute of ["aria-labelledby", "aria-describedby"])
    for (const element of document.querySelectorAll(`[${attribute}]`))
      for (const id of element.getAttribute(attribute).split(" "))
        if (!document.getElementById(id)) wrong.push(`${attribute} names ${id}, which is not there`);
  for (const element of document.querySelectorAll("a, button, nav, section, [role=img], [role=region], [tabindex='0']"))
    if (!name(element)) wrong.push(`no name: ${told(element)}`);
  for (const element of document.querySelectorAll("svg"))
    if (element.getAttribute("aria-hidden") !== "true" && element.getAttribute("role") !== "img")
      wrong.push(`a drawing is neither named nor hidden: ${told(element)}`);
  for (const table of document.querySelectorAll("table")) {
    if (!table.caption?.textContent.trim()) wrong.push("a table has no caption");
    for (const head of table.querySelectorAll("th"))
      if (!head.scope) wrong.push(`a head has no scope: ${told(head)}`);
  }
  for (const list of document.querySelectorAll("ul"))
    for (const child of list.children) if (child.tagName !== "LI") wrong.push("a list has what is no item");
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) wrong.push(`a heading skips a level: ${told(heading)}`);
    level = next;
  }
  for (const link of document.querySelectorAll("a[href^='#']"))
    if (!document.getElementById(link.getAttribute("href").slice(1))) wrong.push(`a link leads nowhere: ${told(link)}`);

  // Contrast, WCAG 2.2 §1.4.3 and §1.4.11.
  const channels = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ratio = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const back = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = channels(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return channels(getComputedStyle(document.body).backgroundColor);
  };
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.getClientRects().length) continue;
    if (element.tagName === "SCRIPT") continue;
    texts += 1;
    const style = getComputedStyle(element);
    const colour = channels(element instanceof SVGElement ? style.fill : style.color);
    const size = parseFloat(style.fontSize);
    const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const found = ratio(colour, back(element));
    if (found < needed) wrong.push(`contrast ${found.toFixed(2)} < ${needed}: ${told(element)}`);
  }
  if (texts < 40) wrong.push(`there are only ${texts} texts`);
  for (const line of document.querySelectorAll("figure path, .bar .fill")) {
    const style = getComputedStyle(line);
    const colour = channels(line.matches(".fill") ? style.fill : style.stroke);
    if (ratio(colour, back(line)) < 3) wrong.push(`a drawing's contrast is below 3: ${told(line)}`);
  }

  // Nothing is wider than the window but what scrolls by itself.
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) wrong.push(`the page is ${root.scrollWidth} wide`);
  return wrong;
})()
