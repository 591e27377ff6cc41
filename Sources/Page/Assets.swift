/// The files that the page asks for, each from this server.
package enum Asset: String, CaseIterable, Sendable {
    case style = "/page.css"
    case script = "/page.js"
    case icon = "/page.svg"

    package var contentType: String {
        switch self {
        case .style: "text/css; charset=utf-8"
        case .script: "text/javascript; charset=utf-8"
        case .icon: "image/svg+xml"
        }
    }

    package var text: String {
        switch self {
        case .style: styleText
        case .script: scriptText
        case .icon: iconText
        }
    }

    /// What the browser may load and run: what comes from here, and nothing within the page's own
    /// text (Content Security Policy Level 3).
    package static let contentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
        + "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

private let scriptText = """
    "use strict";
    // Replaces figures as they come. Without it the page is as it was when it was loaded.
    (() => {
      const state = document.getElementById("live");
      let last = 0;
      const say = (text) => { if (state.textContent !== text) state.textContent = text; };
      const show = (id, value) => {
        const element = document.getElementById(id);
        if (!element) return;
        if (typeof value === "string") {
          element.textContent = value;
          if (element.dateTime) element.dateTime = value;
          return;
        }
        element.className = value.state;
        element.querySelector(".mark").textContent = value.mark;
        element.querySelector(".value").textContent = value.value;
      };
      const source = new EventSource("/live");
      source.onmessage = (event) => {
        const values = JSON.parse(event.data);
        for (const id of Object.keys(values)) show(id, values[id]);
        last = Date.now();
        say("live");
      };
      setInterval(() => { if (Date.now() - last > 10000) say("not live"); }, 2000);
    })();

    """

private let iconText = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0b6e99" \
    d="M0 3h7v6h9v4H0z"/></svg>

    """

private let styleText = """
    :root {
      --back: #fff; --text: #1b1f24; --soft: #57606a; --line: #d0d7de; --box: #f6f8fa;
      --link: #0b5cad; --good: #116329; --bad: #b42318; --a: #0b6e99; --b: #b4540a; --c: #6639ba;
      --warning: #8a5300;
      color-scheme: light dark;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --back: #0d1117; --text: #e6edf3; --soft: #9da7b1; --line: #30363d; --box: #161b22;
        --link: #6cb6ff; --good: #57d977; --bad: #ff8f87; --a: #4cc2f0; --b: #f0a45d; --c: #c4a2ff;
        --warning: #f0b429;
      }
    }
    * { box-sizing: border-box; }
    html { scroll-padding-top: 1rem; }
    body {
      margin: 0 auto; padding: 1rem; max-width: 80rem; background: var(--back); color: var(--text);
      font: 1rem/1.5 system-ui, sans-serif; overflow-wrap: break-word;
    }
    h1 { margin: 0; font-size: clamp(1.1rem, 5.5vw, 1.6rem); }
    h2 { margin: 2rem 0 .5rem; font-size: 1.25rem; border-bottom: 1px solid var(--line); }
    h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
    header p { margin: .25rem 0; color: var(--soft); }
    a { color: var(--link); }
    :focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
    main:focus-visible { outline: none; }
    .skip { position: absolute; left: -100rem; padding: .5rem; background: var(--back); }
    .skip:focus { left: 1rem; }
    nav ul, .checks, .bars, .legend { list-style: none; margin: 0; padding: 0; }
    nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
    nav a { display: inline-block; padding: .25rem 0; }
    nav a[aria-current] { font-weight: bold; color: var(--text); }
    .notice { padding: .5rem 1rem; border: 1px solid var(--bad); border-radius: .5rem; }
    .figures {
      display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: .75rem;
      margin: .75rem 0;
    }
    .figures div {
      padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .5rem;
      background: var(--box);
    }
    dt { color: var(--soft); font-size: .875rem; }
    dd { margin: 0; font-size: 1.375rem; font-variant-numeric: tabular-nums; }
    .columns, .charts {
      display: grid; grid-template-columns: repeat(auto-fit, minmax(min(18rem, 100%), 1fr));
      gap: 0 2rem;
    }
    .charts { grid-template-columns: repeat(auto-fit, minmax(min(22rem, 100%), 1fr)); }
    .columns p { margin: .375rem 0; }
    .checks li { padding-inline-start: 1rem; text-indent: -1rem; }
    .good .mark { color: var(--good); font-weight: bold; }
    .warning .mark { color: var(--warning); font-weight: bold; }
    .bad .mark { color: var(--bad); font-weight: bold; }
    .bars li { display: grid; grid-template-columns: 1fr auto; gap: 0 .5rem; margin: .375rem 0; }
    .bars svg { grid-column: 1 / 3; grid-row: 2; width: 100%; height: .5rem; }
    .track { fill: var(--line); }
    .fill { fill: var(--a); }
    .full .fill { fill: var(--bad); }
    .value { font-variant-numeric: tabular-nums; }
    figure { margin: 1rem 0; }
    figcaption { font-weight: bold; }
    figure svg { display: block; width: 100%; height: auto; }
    figure text { fill: var(--soft); font-size: 18px; }
    @media (max-width: 40rem) { figure text { font-size: 22px; } }
    .axis { stroke: var(--soft); }
    .grid { stroke: var(--line); }
    path, .key line { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
    .line-0 { stroke: var(--a); }
    .line-1 { stroke: var(--b); stroke-dasharray: 6 2; }
    .line-2 { stroke: var(--c); stroke-dasharray: 2 2; }
    .legend { color: var(--soft); font-size: .875rem; }
    .legend .key { display: inline-block; width: 1.25rem; height: .5rem; }
    .scroll { overflow-x: auto; margin: .5rem 0; }
    table { border-collapse: collapse; width: 100%; font-size: .875rem; }
    caption { text-align: start; font-weight: bold; padding: .25rem 0; }
    th, td { padding: .25rem .75rem .25rem 0; text-align: start; border-bottom: 1px solid var(--line); }
    th { white-space: nowrap; }
    td { white-space: nowrap; font-variant-numeric: tabular-nums; }
    .number { text-align: end; }
    .number + :not(.number) { padding-inline-start: .75rem; }
    .note { margin: .25rem 0; color: var(--soft); font-size: .875rem; }
    @media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }

    """
