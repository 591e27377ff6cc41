import Presentation
import Vocabulary

extension Table {
    /// A table whose columns can be sorted by following the links in its head.
    ///
    /// - Parameters:
    ///   - column: the name of the column to sort by; the order stays if there is none such.
    ///   - link: an address that sorts by a column. Nil for a table that can't be sorted.
    func html(
        id: String, by column: String? = nil, descending: Bool = false,
        link: ((String, Bool) -> String)? = nil
    ) -> HTML {
        var table = self
        let place = columns.firstIndex { $0.name == column }
        if let place { table.sort(by: place, descending: descending) }
        let shown = table.rows.prefix(PageState.rowLimit)
        let heads = columns.enumerated().filter { $1.kind != .unit }.map { index, column -> HTML in
            let side: HTML = column.alignment == .right ? " class=\"number\"" : ""
            guard let link else { return "<th scope=\"col\"\(side)>\(column.title)</th>" }
            let isSorted = index == place
            let sort: HTML =
                isSorted ? " aria-sort=\"\(descending ? "descending" : "ascending")\"" : ""
            let mark: HTML = isSorted ? (descending ? " ▼" : " ▲") : ""
            let address = link(column.name, isSorted ? !descending : column.kind != .text)
            return """
                <th scope="col"\(side)\(sort)><a href="\(address)">\(column.title)\
                <span aria-hidden="true">\(mark)</span></a></th>
                """
        }
        let body = shown.map { row -> HTML in "<tr>\(cells(of: row))</tr>\n" }
        let left = rows.count - shown.count
        let remarks = notes + (left > 0 ? ["\(left) more rows are not shown."] : [])
        return """
            <div class="scroll" role="region" aria-labelledby="\(id)-c" tabindex="0"><table>
            <caption id="\(id)-c">\(title)</caption>
            <thead><tr>\(heads)</tr></thead>
            <tbody>
            \(body)</tbody></table></div>
            \(remarks.map { note -> HTML in "<p class=\"note\">\(note)</p>\n" })
            """
    }

    private func cells(of row: [Datum]) -> [HTML] {
        // `measured` columns mean what the row's `unit` column says.
        let unit = columns.firstIndex { $0.kind == .unit }.flatMap { place -> Kind? in
            guard row.indices.contains(place), case .text(let name) = row[place] else { return nil }
            return Kind(rawValue: name)
        }
        return columns.enumerated().filter { $1.kind != .unit }.map { index, column in
            let datum = row.indices.contains(index) ? row[index] : .null
            let kind = column.kind == .measured ? unit ?? .measured : column.kind
            let text = datum == .null ? column.absent : shortened(human(datum, kind))
            return column.alignment == .right
                ? "<td class=\"number\">\(text)</td>" : "<td>\(text)</td>"
        }
    }

    private mutating func sort(by place: Int, descending: Bool) {
        let keyed = rows.enumerated().map { index, row in
            (key: row.indices.contains(place) ? row[place] : .null, index: index, row: row)
        }
        rows =
            keyed.sorted { left, right in
                if left.key == right.key { return left.index < right.index }
                return descending ? isLess(right.key, left.key) : isLess(left.key, right.key)
            }.map(\.row)
    }
}

/// Nothing before numbers before text.
private func isLess(_ left: Datum, _ right: Datum) -> Bool {
    func rank(_ datum: Datum) -> Int {
        switch datum {
        case .null: 0
        case .integer, .real: 1
        case .text: 2
        }
    }
    switch (left, right) {
    case (.integer(let left), .integer(let right)): return left < right
    case (.integer(let left), .real(let right)): return Double(left) < right
    case (.real(let left), .integer(let right)): return left < Double(right)
    case (.real(let left), .real(let right)): return left < right
    case (.text(let left), .text(let right)): return left < right
    default: return rank(left) < rank(right)
    }
}

/// So that no value makes the page large.
private func shortened(_ text: String) -> String {
    text.count <= 80 ? text : String(text.prefix(79)) + "…"
}

extension Column {
    fileprivate var title: String {
        let words = name.split(separator: "_").map { $0 == "utc" ? "UTC" : $0 }
            .joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}
