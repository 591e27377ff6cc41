/// How results are written.
package enum Format: String, CaseIterable, Sendable {
    /// Aligned columns with units, for people.
    case table
    /// One object per table with its title, columns, rows and notes; an array for several.
    case json
    /// One object per row and line.
    case ndjson
    /// RFC 4180, with a header. Tables are parted by an empty line.
    case csv
}

/// Writes tables. The same tables give the same bytes.
///
/// - Parameters:
///   - width: of the terminal in columns; text is cut to fit where it can be. Nil for no limit.
///   - colour: whether the terminal takes ANSI attributes. Headings are bold then.
///   - unicode: whether the terminal has block characters; otherwise charts are drawn in ASCII.
/// - Returns: whole lines. Text of any origin is safe to show on a terminal.
package func render(
    _ tables: [Table], as format: Format, width: Int? = nil, colour: Bool = false,
    unicode: Bool = true
) -> String {
    switch format {
    case .table:
        let style = TextStyle(width: width, colour: colour, unicode: unicode)
        return tables.map { text(of: $0, in: style) }.joined(separator: "\n")
    case .json: return json(of: tables)
    case .ndjson: return tables.map { lines(of: $0, named: tables.count > 1) }.joined()
    case .csv: return tables.map(csv).joined(separator: "\r\n")
    }
}

package func render(
    _ table: Table, as format: Format, width: Int? = nil, colour: Bool = false,
    unicode: Bool = true
) -> String {
    render([table], as: format, width: width, colour: colour, unicode: unicode)
}
