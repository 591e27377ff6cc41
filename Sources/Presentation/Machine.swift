import Vocabulary

// JSON, NDJSON and CSV: raw values in the units that the keys name.

func json(of tables: [Table]) -> String {
    if tables.count == 1, let table = tables.first { return json(of: table) + "\n" }
    return list(tables.map(json)) + "\n"
}

private func json(of table: Table) -> String {
    let keys = table.keys
    let columns = zip(keys, table.columns).map { key, column in
        "{\"name\": \(quoted(key)), \"kind\": \(quoted(column.kind.rawValue))}"
    }
    let rows = table.rows.map { object(members(of: $0, keys: keys)) }
    return """
        {
        "title": \(quoted(table.title)),
        "columns": \(list(columns)),
        "rows": \(list(rows)),
        "notes": \(list(table.notes.map(quoted)))
        }
        """
}

/// - Parameter named: whether each row says which table it is of.
func lines(of table: Table, named: Bool) -> String {
    let keys = table.keys
    let name = named ? ["\"table\": \(quoted(table.title))"] : []
    return table.rows.map { object(name + members(of: $0, keys: keys)) + "\n" }.joined()
}

private func members(of row: [Datum], keys: [String]) -> [String] {
    keys.enumerated().map { index, key in
        "\(quoted(key)): \(json(of: index < row.count ? row[index] : .null))"
    }
}

private func object(_ members: [String]) -> String {
    "{" + members.joined(separator: ", ") + "}"
}

private func list(_ items: [String]) -> String {
    items.isEmpty ? "[]" : "[\n" + items.joined(separator: ",\n") + "\n]"
}

private func json(of datum: Datum) -> String {
    switch datum {
    case .text(let text): quoted(text)
    case .null: "null"
    case .integer, .real: number(datum) ?? "null"
    }
}

/// Nil for what JSON and CSV have no number for.
private func number(_ datum: Datum) -> String? {
    switch datum {
    case .integer(let value): String(value)
    case .real(let value) where value.isFinite: "\(value)"
    default: nil
    }
}

/// Null is an empty field, an empty text is `""`. Control characters other than tab and line
/// ends are shown as `\xNN`.
func csv(_ table: Table) -> String {
    let keys = table.keys
    let header = keys.map(field)
    let rows = table.rows.map { row in
        keys.indices.map { index -> String in
            switch index < row.count ? row[index] : .null {
            case .text(let text): field(text)
            case let datum: number(datum) ?? ""
            }
        }
    }
    return ([header] + rows).map { $0.joined(separator: ",") + "\r\n" }.joined()
}

private func field(_ text: String) -> String {
    let text = visible(text, keeping: ["\t", "\r", "\n"])
    let needsQuotes =
        text.isEmpty
        || text.unicodeScalars.contains { [",", "\"", "\r", "\n"].contains($0) }
        || text.unicodeScalars.first == " " || text.unicodeScalars.last == " "
    guard needsQuotes else { return text }
    var result = "\""
    for scalar in text.unicodeScalars {
        if scalar == "\"" { result += "\"" }
        result.unicodeScalars.append(scalar)
    }
    return result + "\""
}
