/// The one of `known` that `word` was probably meant to be: at most two edits away, or a third
/// of its length.
func suggestion(for word: String, among known: some Collection<String>) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let nearest = known.sorted().map { (name: $0, edits: edits(from: word, to: $0)) }
        .min { $0.edits < $1.edits }
    guard let nearest, nearest.edits <= max(2, word.utf8.count / 3),
        nearest.edits < nearest.name.utf8.count
    else { return nil }
    return nearest.name
}

/// Levenshtein's distance: insertions, deletions and replacements of one byte.
private func edits(from left: String, to right: String) -> Int {
    let right = Array(right.utf8)
    var row = Array(0...right.count)
    for (done, byte) in left.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = done + 1
        for (column, other) in right.enumerated() {
            let replaced = diagonal + (byte == other ? 0 : 1)
            diagonal = row[column + 1]
            row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
        }
    }
    return row[right.count]
}
