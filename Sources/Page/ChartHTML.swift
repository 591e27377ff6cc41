import Presentation
import Vocabulary

/// The room of a chart's drawing, in its own units.
private enum Frame {
    static let width = 600.0
    static let left = 4.0
    static let bottom = 140.0
    static let top = 10.0
}

extension TimeChart {
    /// A figure: an SVG whose gist is in its label, a legend with the latest and greatest values.
    var figure: HTML {
        let greatest = lines.flatMap(\.values).compactMap { $0 }.filter(\.isFinite).max()
        guard let greatest else {
            return """
                <figure><figcaption>\(title)</figcaption><p>Nothing was recorded.</p></figure>

                """
        }
        let top = ceiling(greatest)
        let middle = (since.nanoseconds / 2) + (until.nanoseconds / 2)
        return """
            <figure>
            <figcaption>\(title)</figcaption>
            <svg viewBox="0 0 600 166" role="img" aria-label="\(summary)">
            <line class="axis" x1="0" x2="600" y1="140" y2="140"/>
            <line class="grid" x1="0" x2="600" y1="75" y2="75"/>
            <line class="grid" x1="0" x2="600" y1="10" y2="10"/>
            <text x="4" y="22">\(human(.real(top), kind))</text>
            <text x="4" y="87">\(greatest > 0 ? middleLabel(top / 2) : "")</text>
            <text x="0" y="161">\(label(since))</text>
            <text x="300" y="161" text-anchor="middle">\(label(Timestamp(nanoseconds: middle)))</text>
            <text x="600" y="161" text-anchor="end">\(label(until))</text>
            \(lines.enumerated().map { drawing(of: $1, number: $0, top: top) })
            </svg>
            <ul class="legend">
            \(lines.enumerated().map { legend($1, number: $0) })</ul>
            </figure>

            """
    }

    /// There is no half a session.
    private func middleLabel(_ value: Double) -> String {
        kind == .count && value != value.rounded() ? "" : human(.real(value), kind)
    }

    private var summary: String {
        let parts = lines.map { "\($0.name): \(words($0))" }
        return "\(title) from \(since.rfc3339) to \(until.rfc3339). "
            + parts.joined(separator: "; ")
    }

    private func words(_ line: Line) -> String {
        let known = line.values.compactMap { $0 }.filter(\.isFinite)
        guard let last = known.last, let most = known.max() else { return "nothing recorded" }
        return "latest \(human(.real(last), kind)), most \(human(.real(most), kind))"
    }

    private func legend(_ line: Line, number: Int) -> HTML {
        """
        <li><svg class="key" viewBox="0 0 20 8" aria-hidden="true">\
        <line class="line-\(number % 3)" x1="0" x2="20" y1="4" y2="4"/></svg> \
        \(line.name): \(words(line))</li>

        """
    }

    /// A line with gaps where nothing was recorded; a lone value is a dash that ends there.
    private func drawing(of line: Line, number: Int, top: Double) -> HTML {
        var path = ""
        var isDrawing = false
        let step = Frame.width / Double(max(line.values.count - 1, 1))
        let values = line.values.map { $0.flatMap { $0.isFinite ? $0 : nil } }
        for (place, value) in values.enumerated() {
            guard let value else {
                isDrawing = false
                continue
            }
            let x = Double(place) * step
            let y = Frame.bottom - (Frame.bottom - Frame.top) * min(max(value / top, 0), 1)
            let point: HTML = "\(x) \(y)"
            let isLone = !isDrawing && (place + 1 >= values.count || values[place + 1] == nil)
            let dash: HTML = "M\(max(x - 6, 0)) \(y)h6"
            path += isDrawing ? "L\(point.text)" : isLone ? dash.text : "M\(point.text)h0"
            isDrawing = true
        }
        return "<path class=\"line-\(number % 3)\" d=\"\(path)\"/>\n"
    }

    /// The time of day for a day or less, else the date.
    private func label(_ time: Timestamp) -> String {
        let text = time.rfc3339
        let isShort = until.nanoseconds - since.nanoseconds <= 86_400_000_000_000
        return isShort ? String(text.dropFirst(11).prefix(5)) : String(text.dropFirst(5).prefix(5))
    }
}

/// A round number that is not below `value`.
private func ceiling(_ value: Double) -> Double {
    guard value > 0, value < 1e300 else { return 1 }
    var power = 1.0
    while power * 10 <= value { power *= 10 }
    while power > value { power /= 10 }
    for factor in [1.0, 2, 2.5, 5, 10] where power * factor >= value { return power * factor }
    return value
}
