import Vocabulary

struct TextStyle {
    let width: Int?
    let colour: Bool
    let unicode: Bool

    func bold(_ text: String) -> String { colour ? "\u{1b}[1m\(text)\u{1b}[0m" : text }
}

/// The table for people: a title, aligned columns two spaces apart, charts, notes.
func text(of table: Table, in style: TextStyle) -> String {
    let shown = table.columns.indices.filter { table.columns[$0].kind != .unit }
    let unit = table.columns.firstIndex { $0.kind == .unit }
    let columns = shown.map { table.columns[$0] }
    let cells = table.rows.map { row in
        shown.map { index in
            cell(datum(index, of: row), in: table.columns[index], measure: kind(unit, of: row))
        }
    }
    let widths = fitted(naturalWidths(columns, cells), columns, to: style.width)

    var lines: [String] = []
    if !table.title.isEmpty { lines.append(style.bold(visible(table.title))) }
    if !columns.isEmpty {
        let header = columns.map { visible($0.heading) }
        lines.append(style.bold(line(header, columns, widths)))
        lines += cells.map { line($0, columns, widths) }
        if cells.isEmpty { lines.append("(none)") }
    }
    lines += charts(table.charts, in: style)
    if !table.notes.isEmpty { lines.append("") }
    lines += table.notes.flatMap { wrapped(visible($0), to: style.width) }
    return lines.map { $0 + "\n" }.joined()
}

private func datum(_ index: Int, of row: [Datum]) -> Datum {
    index < row.count ? row[index] : .null
}

/// The kind that a row's unit column names.
private func kind(_ unit: Int?, of row: [Datum]) -> Kind {
    guard let unit, case .text(let name) = datum(unit, of: row) else { return .count }
    return Kind(rawValue: name) ?? .count
}

private func cell(_ datum: Datum, in column: Column, measure: Kind) -> String {
    guard datum != .null else { return column.absent }
    return human(datum, column.kind == .measured ? measure : column.kind)
}

private func naturalWidths(_ columns: [Column], _ cells: [[String]]) -> [Int] {
    columns.indices.map { index in
        cells.reduce(visible(columns[index].heading).count) { max($0, $1[index].count) }
    }
}

/// Narrows the widest text columns, down to 8, until the line fits or none is left.
private func fitted(_ natural: [Int], _ columns: [Column], to limit: Int?) -> [Int] {
    guard let limit else { return natural }
    var widths = natural
    while true {
        let excess = widths.reduce(2 * max(0, widths.count - 1), +) - limit
        let candidates = widths.indices.filter { columns[$0].kind == .text && widths[$0] > 8 }
        guard excess > 0, let widest = candidates.max(by: { widths[$0] < widths[$1] }) else {
            return widths
        }
        widths[widest] = max(8, widths[widest] - max(1, excess / candidates.count))
    }
}

private func line(_ cells: [String], _ columns: [Column], _ widths: [Int]) -> String {
    var line = ""
    for (index, cell) in cells.enumerated() {
        let text = cell.count > widths[index] ? cell.prefix(widths[index] - 1) + "…" : cell
        let padding = String(repeating: " ", count: widths[index] - text.count)
        if index > 0 { line += "  " }
        line += columns[index].alignment == .right ? padding + text : text + padding
    }
    while line.last == " " { line.removeLast() }
    return line
}

/// Lines of whole words; a word that is wider than the line stays whole.
private func wrapped(_ text: String, to width: Int?) -> [String] {
    guard let width else { return [text] }
    var lines: [String] = []
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
        if let line = lines.last, line.count + 1 + word.count <= width {
            lines[lines.count - 1] = line + " " + word
        } else {
            lines.append(String(word))
        }
    }
    return lines
}

private func charts(_ charts: [Chart], in style: TextStyle) -> [String] {
    let labels = charts.map { visible($0.label) }
    let indent = (labels.map(\.count).max() ?? 0) + 2
    let room = max(8, (style.width ?? 80) - indent)
    let lines = zip(charts, labels).map { chart, label in
        let padding = String(repeating: " ", count: indent - label.count)
        let bars = squeezed(chart.values, to: room)
        return label + padding + sparkline(bars, unicode: style.unicode)
    }
    return lines.isEmpty ? [] : [""] + lines
}
