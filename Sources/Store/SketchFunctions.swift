import Encoding
import SQLite

/// What SQL can ask of a sketch: `sketch_quantile(sketch, part)`, and `sketch_merge(sketch)` of many
/// rows. What is no sketch is null, and left out of a merge.
enum SketchFunctions {
    static func register(on connection: Connection) throws(SQLiteError) {
        try connection.register(function: "sketch_quantile", arguments: 2) { arguments in
            guard arguments.count == 2, let sketch = sketch(arguments[0]) else { return .null }
            let part: Double
            switch arguments[1] {
            case .integer(let number): part = Double(number)
            case .real(let number): part = number
            default: return .null
            }
            return sketch.quantile(part).map { .integer($0.clamped) } ?? .null
        }
        try connection.register(aggregate: "sketch_merge", arguments: 1) { Merge() }
    }

    private static func sketch(_ value: Value) -> Sketch? {
        guard case .blob(let bytes) = value else { return nil }
        return try? Sketch(decoding: bytes)
    }

    private final class Merge: Aggregate {
        private var sum = Sketch()

        func take(_ arguments: [Value]) {
            if let first = arguments.first, let sketch = sketch(first) { sum.merge(sketch) }
        }

        func result() -> Value { .blob(sum.encoded) }
    }
}
