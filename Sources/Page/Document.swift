import Presentation
import Vocabulary

extension PageState {
    /// The whole page. Bounded: at most ``rowLimit`` rows of each table, and text of bounded length.
    package func html(_ choice: PageChoice) -> String {
        let page: HTML = """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\(gateway) – Weir</title>
            <link rel="icon" href="/page.svg" type="image/svg+xml">
            <link rel="stylesheet" href="/page.css">
            <script src="/page.js" defer></script>
            </head>
            <body>
            <a class="skip" href="#main">Skip to the content</a>
            <header>
            <h1>\(gateway)</h1>
            <p>Weir \(version) · as of <time id="now" datetime="\(now.rfc3339)">\(now.rfc3339)</time> \
            · <span id="live" role="status">not live</span></p>
            <nav aria-label="Sections"><ul>
            <li><a href="#now-h">Now</a></li><li><a href="#history">History</a></li>
            <li><a href="#sessions">Sessions</a></li><li><a href="#alerts">Alerts</a></li>
            <li><a href="#capacity">Capacity</a></li><li><a href="/metrics">Metrics</a></li>
            </ul></nav>
            </header>
            <main id="main" tabindex="-1">
            \(gaps.map(notice))
            \(nowSection)
            \(historySection(choice))
            \(sessionSection(choice))
            \(alertSection(choice))
            \(capacitySection)
            </main>
            </body>
            </html>

            """
        return page.text
    }

    /// Rows of a table that are shown.
    package static let rowLimit = 100

    private func notice(_ text: String) -> HTML { "<p class=\"notice\">\(text)</p>\n" }

    private var nowSection: HTML {
        """
        <section aria-labelledby="now-h">
        <h2 id="now-h">Now</h2>
        <dl class="figures">
        \(figures.map(figure))</dl>
        <div class="columns">
        <div><h3 id="health-h">Health</h3><ul class="checks" aria-labelledby="health-h">
        \(checks.map(check))</ul>
        \(remark.map { text -> [HTML] in ["<p class=\"note\">\(text)</p>"] } ?? [])</div>
        <div><h3>Pools</h3>\(pools.isEmpty ? "<p>There is no pool.</p>" : poolList)</div>
        <div><h3>Failed logins by reason</h3>\(failureList)</div>
        </div>
        </section>
        """
    }

    private func figure(_ figure: Figure) -> HTML {
        """
        <div><dt>\(figure.name)</dt><dd id="\(figure.id)">\(figure.value)</dd></div>

        """
    }

    private func check(_ check: Check) -> HTML {
        """
        <li id="\(check.id)" class="\(check.condition.rawValue)">\
        <span class="mark">\(check.condition.mark)</span> \(check.name): \
        <span class="value">\(check.value)</span></li>

        """
    }

    private var poolList: HTML {
        let items = pools.prefix(Self.rowLimit).enumerated().map { place, pool -> HTML in
            let share = pool.size == 0 ? 0 : Double(pool.used) / Double(pool.size)
            return """
                <li><span id="pool-\(place)">\(pool.name)</span>
                \(bar(share, isFull: share > 0.9))
                <span class="value">\(String(pool.used)) of \(String(pool.size))</span></li>

                """
        }
        return "<ul class=\"bars\">\(items)</ul>"
    }

    private var failureList: HTML {
        guard let greatest = failures.map(\.value).max(), greatest > 0 else {
            return "<p>None since the start.</p>"
        }
        let items = failures.prefix(Self.rowLimit).map { failure -> HTML in
            """
            <li><span>\(failure.name)</span>
            \(bar(failure.value / greatest, isFull: false))
            <span class="value">\(human(.real(failure.value), .count))</span></li>

            """
        }
        return "<ul class=\"bars\">\(items)</ul>"
    }

    /// The number beside it says the same, so that readers of a screen are spared it.
    private func bar(_ share: Double, isFull: Bool) -> HTML {
        """
        <svg class="bar\(isFull ? " full" : "")" viewBox="0 0 100 8" preserveAspectRatio="none" \
        aria-hidden="true"><rect class="track" width="100" height="8"/>\
        <rect class="fill" width="\(min(max(share, 0), 1) * 100)" height="8"/></svg>
        """
    }

    private func historySection(_ choice: PageChoice) -> HTML {
        let links = PageChoice.Span.allCases.map { span -> HTML in
            var other = choice
            other.span = span
            let current: HTML = span == choice.span ? " aria-current=\"true\"" : ""
            return
                "<li><a href=\"\(other.address)#history\"\(current)>Last \(span.rawValue)</a></li>\n"
        }
        return """
            <section aria-labelledby="history">
            <h2 id="history">History</h2>
            <nav aria-label="Span of time"><ul class="spans">
            \(links)</ul></nav>
            <p class="note">Times are in UTC.</p>
            <div class="charts">
            \(charts.map(\.figure))</div>
            </section>
            """
    }

    private func sessionSection(_ choice: PageChoice) -> HTML {
        let table = sessions.html(
            id: "sessions", by: choice.sessionsBy, descending: choice.sessionsDescending
        ) { column, descending in
            var other = choice
            other.sessionsBy = column
            other.sessionsDescending = descending
            return other.address + "#sessions"
        }
        return """
            <section aria-labelledby="sessions">
            <h2 id="sessions">Sessions</h2>
            \(sessions.rows.isEmpty ? "<p>Nobody is logged in.</p>" : table)
            </section>
            """
    }

    private func alertSection(_ choice: PageChoice) -> HTML {
        func table(_ alerts: Table, _ id: String) -> HTML {
            alerts.html(id: id, by: choice.alertsBy, descending: choice.alertsDescending) {
                column, descending in
                var other = choice
                other.alertsBy = column
                other.alertsDescending = descending
                return other.address + "#alerts"
            }
        }
        return """
            <section aria-labelledby="alerts">
            <h2 id="alerts">Alerts</h2>
            \(activeAlerts.rows.isEmpty
                ? "<p>No alert is active.</p>" : table(activeAlerts, "active-alerts"))
            \(pastAlerts.rows.isEmpty ? "" : table(pastAlerts, "past-alerts"))
            </section>
            """
    }

    private var capacitySection: HTML {
        """
        <section aria-labelledby="capacity">
        <h2 id="capacity">Capacity</h2>
        \(capacity.isEmpty ? "<p>There is nothing recorded yet.</p>" : "")
        \(capacity.enumerated().map { $1.html(id: "capacity-\($0)") })
        </section>
        """
    }
}
