/// One element of an HTTP Accept or Accept-Encoding header (RFC 9110 §12.5).
struct AcceptedRange: Hashable, Sendable {
    /// In lower case.
    let name: String
    /// In lower case, without quotes; the weight is not among them.
    let parameters: [String: String]
    /// 0 to 1.
    let weight: Double

    /// - Parameter header: only its first 4,096 bytes count. Elements with a bad weight are left
    ///   out.
    static func list(_ header: String) -> [AcceptedRange] {
        header.utf8.prefix(4096).split(separator: UInt8(ascii: ","))
            .compactMap { AcceptedRange(Substring($0)) }
    }

    private init?(_ text: Substring) {
        let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
        var parameters: [String: String] = [:]
        var weight = 1.0
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map { trimmed($0) }
            guard pair.count == 2 else { continue }
            if pair[0] == "q" {
                guard let q = Double(pair[1]), (0...1).contains(q) else { return nil }
                weight = q
            } else {
                parameters[pair[0]] = pair[1]
            }
        }
        guard let name = parts.first, !name.isEmpty else { return nil }
        self.name = name
        self.parameters = parameters
        self.weight = weight
    }
}

/// Whether an Accept-Encoding header takes gzip. Without the header nothing is compressed.
func acceptsGzip(_ header: String?) -> Bool {
    guard let header else { return false }
    let ranges = AcceptedRange.list(header)
    let gzip = ranges.first { $0.name == "gzip" } ?? ranges.first { $0.name == "*" }
    return (gzip?.weight ?? 0) > 0
}

/// Without blanks and quotes around it, in lower case.
private func trimmed(_ text: Substring) -> String {
    func isPadding(_ character: Character) -> Bool { " \t\"".contains(character) }
    return String(text.drop(while: isPadding).reversed().drop(while: isPadding).reversed())
        .lowercased()
}
