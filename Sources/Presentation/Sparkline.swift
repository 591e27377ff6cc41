/// One character per value, as high as the value is in proportion to the greatest: 0 is the
/// lowest bar. Nil, NaN and infinities are a space; negative values count as 0.
package func sparkline(_ values: [Double?], unicode: Bool = true) -> String {
    let bars = Array(unicode ? "▁▂▃▄▅▆▇█" : "_.-:=+*#")
    let finite = values.map { $0.flatMap { $0.isFinite ? max(0, $0) : nil } }
    let greatest = finite.compactMap { $0 }.max() ?? 0
    return String(
        finite.map { value -> Character in
            guard let value else { return " " }
            guard greatest > 0 else { return bars[0] }
            let level = Int(value / greatest * Double(bars.count - 1) + 0.5)
            return bars[min(level, bars.count - 1)]
        })
}

/// At most `room` values, each the greatest of as many neighbours: peaks survive.
func squeezed(_ values: [Double?], to room: Int) -> [Double?] {
    guard values.count > room, room > 0 else { return values }
    let group = (values.count + room - 1) / room
    return stride(from: 0, to: values.count, by: group).map { start in
        values[start..<min(start + group, values.count)].compactMap { $0 }.max()
    }
}
